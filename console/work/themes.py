"""What tasks are about: the businesses whose figures are worked on."""

from __future__ import annotations

from typing import Final

import msgspec


class Theme(msgspec.Struct, frozen=True):
    """One business: what its records are called and hold."""

    records: str
    """Such as `orders`."""
    key: str
    """Field that names a record."""
    names: tuple[str, ...]
    group: str
    """Field that puts records in groups."""
    groups: tuple[str, ...]
    amount: str
    """Field with the figure that matters."""
    cost: str
    """Field with another figure."""
    service: str
    """Service of the address book that has such records."""
    team: str
    """Who wants to know."""
    renamed: str
    """What another system calls the amount."""
    story: str
    """Why anybody asks, in the words of a business."""


THEMES: Final = (
    Theme("orders", "product", ("lamp", "chair", "desk", "shelf", "sofa", "rug", "bed", "stool"),
          "region", ("north", "south", "west"), "revenue", "discount", "shop", "sales-team", "net_sales",
          "The sales review is close, and its figures still have to be brought together."),
    Theme("shipments", "parcel", ("P-101", "P-102", "P-103", "P-104", "P-105", "P-106", "P-107", "P-108"),
          "carrier", ("rail", "road", "sea"), "weight", "fee", "freight", "dispatch", "gross_weight",
          "The depot wants to know where it stands before the next truck leaves."),
    Theme("readings", "sensor", ("s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8"),
          "hall", ("A", "B", "C"), "temperature", "power", "telemetry", "operators", "celsius",
          "The night shift noticed that the halls behave oddly, and maintenance asked for facts."),
    Theme("invoices", "customer", ("Ahlers", "Brandt", "Celik", "Duarte", "Evans", "Fontana", "Greco", "Huber"),
          "status", ("open", "paid", "late"), "total", "tax", "billing", "accounting", "amount_due",
          "The books are closed soon, and the auditors will ask about these."),
    Theme("tickets", "issue", ("login", "export", "search", "upload", "invoice", "sync", "print", "backup"),
          "queue_name", ("web", "mobile", "desktop"), "hours", "replies", "helpdesk", "support-leads", "effort",
          "The support leads plan the coming weeks and need to see how things develop."),
    Theme("harvest", "field_name", ("oak", "elm", "hill", "lake", "mill", "pond", "rock", "vale"),
          "crop", ("wheat", "barley", "rye"), "yield_tons", "water", "farmbook", "growers", "tons",
          "The cooperative settles accounts with its growers at the end of the season."),
)  # fmt: skip

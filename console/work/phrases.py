"""How a step of a task is said: plainly, in other words, as a business says it, and as a hint.

Four wordings a tool. All of them tell every name and figure that a call needs; what fades is the tool.
"""

from __future__ import annotations

from typing import Final

PHRASES: Final[dict[str, tuple[str, str, str, str]]] = {
    "data_parser": (
        "parse the {format} text of the document {source} into the dataset {output}",
        "turn the document {source}, which is in the format {format}, into rows called {output}",
        "make {source} ({format}) something that can be worked with, as {output}",
        "{source} came in as {format} and is of no use like that; everybody else speaks of {output}",
    ),
    "data_transformer": (
        "transform the dataset {dataset}: {change}, into {output}",
        "in {dataset}, {change}, and call what comes out {output}",
        "bring {dataset} into line with what is expected ({change}), as {output}",
        "{dataset} is not quite how it should be (somebody has to {change}); {output} would be right",
    ),
    "data_filter": (
        "filter the dataset {dataset} to the rows in which {field} is {comparison} {value}, into {output}",
        "from {dataset}, keep only the rows with {field} {comparison} {value}, as {output}",
        "leave aside what does not matter in {dataset} ({field} {comparison} {value} is what does), as {output}",
        "narrow {dataset} down to the cases of interest ({field} {comparison} {value}); that is {output}",
    ),
    "data_validator": (
        "validate in the dataset {dataset} that every value of {field} is {rule}",
        "check that each value of {field} in {dataset} is {rule}",
        "make sure that {dataset} can be relied on as far as {field} goes ({rule})",
        "somebody will ask whether {field} in {dataset} was ever looked at ({rule})",
    ),
    "data_aggregator": (
        "aggregate the dataset {dataset} by {by} with the {function} of {field}, into {output}",
        "work out the {function} of {field} for each {by} in {dataset}, as {output}",
        "condense {dataset} to one line per {by} ({function} of {field}), known as {output}",
        "the single entries of {dataset} are too many; per {by}, the {function} of {field} tells enough: {output}",
    ),
    "file_reader": (
        "read the file {path} into the document {output}",
        "load {path} as the document {output}",
        "get hold of what was stored in {path} and call it {output}",
        "it all begins with {path}, which is spoken of as {output}",
    ),
    "file_writer": (
        "write {source} as {format} to the file {path}",
        "save {source} in {path} as {format}",
        "put {source} where it is kept: {path}, {format}",
        "in the end people look for {source} in {path} ({format})",
    ),
    "file_scanner": (
        "scan the folder {folder} for files that end in {ending}, into the result {output}",
        "list the files of the folder {folder} with names ending in {ending}, as {output}",
        "find out which {ending} material lies in the folder {folder}, as {output}",
        "nobody knows what {ending} material there is in the folder {folder}; {output} should tell",
    ),
    "file_converter": (
        "convert the file {path} to {to} as the file {output_path}",
        "make a {to} version of {path} at {output_path}",
        "bring {path} into the one form that others take ({to}), as {output_path}",
        "{path} is not what the next in line can open; {output_path} ({to}) would be",
    ),
    "file_compressor": (
        "compress the file {path} into the file {output_path}",
        "store {path} in packed form as {output_path}",
        "make {path} take less room, as {output_path}",
        "{path} is too bulky to be kept; {output_path} is what is kept",
    ),
    "network_fetcher": (
        "fetch the resource {resource} of the service {service} into the document {output}",
        "get {resource} from {service} as the document {output}",
        "obtain {resource} from the other side ({service}), called {output}",
        "{service} knows about {resource}, and we do not; {output} will be our copy",
    ),
    "network_poster": (
        "post {source} to the service {service}",
        "send {source} to the service {service}",
        "hand {source} over to the other side, {service}",
        "{service} waits for {source}",
    ),
    "network_monitor": (
        "monitor the service {service}",
        "check whether {service} is up",
        "see how the other side ({service}) is doing",
        "there are doubts about {service}",
    ),
    "network_router": (
        "route the traffic to the service {service} through the region {region}",
        "send traffic for {service} via {region}",
        "see to it that {service} is reached the right way, by {region}",
        "{region} is the way to {service}",
    ),
    "network_validator": (
        "validate that the fetched document {document} is in the format {format} and has the field {field}",
        "check the answer {document}: it has to be in the format {format}, with a field {field}",
        "put no blind trust in what the other side said in {document} ({format}, with {field})",
        "whether {document} is sound ({format}, {field}) should be on record",
    ),
    "computation_calculator": (
        "calculate the {operation} of {field} in the dataset {dataset} as the result {output}",
        "work out the {operation} of {field} over {dataset}, called {output}",
        "get one number out of {dataset}, the {operation} of {field}, as {output}",
        "people will quote a single {operation} of {field} from {dataset}; {output} it is",
    ),
    "computation_analyzer": (
        "analyze the field {field} of the dataset {dataset} as the result {output}",
        "describe how {field} is distributed in {dataset}, as {output}",
        "find out what {field} in {dataset} has to say and keep it as {output}",
        "{field} in {dataset} needs to be understood, not only listed: {output}",
    ),
    "computation_predictor": (
        "predict the next {steps} values of {field} from the dataset {dataset} as the result {output}",
        "continue the trend of {field} in {dataset} by {steps} values, as {output}",
        "look {steps} steps ahead for {field} in {dataset}, as {output}",
        "what comes after {dataset}, as to {field}, for {steps} more? {output} should tell",
    ),
    "computation_simulator": (
        "simulate {rounds} rounds of {growth_percent} percent growth from the result {start} as {output}",
        "let {start} grow by {growth_percent} percent for {rounds} rounds, as {output}",
        "play through {rounds} rounds of growth at {growth_percent} percent, beginning with {start}, as {output}",
        "suppose growth of {growth_percent} percent, {rounds} times over, on top of {start}; {output} is the outcome",
    ),
    "computation_optimizer": (
        "optimize which rows of {dataset} give the most {value} with a total {cost} of {budget} at most, as the result {output}",
        "choose the rows of {dataset} that are worth most in {value} while the sum of their {cost} stays within {budget}, as {output}",
        "find the best selection from {dataset} ({value} against {cost}, {budget} at most), as {output}",
        "not all of {dataset} is affordable ({cost}, {budget} in all); {output} holds the best by {value}",
    ),
    "integration_authenticator": (
        "authenticate at the service {service} with the account {account}",
        "log in at {service} as {account}",
        "prove to {service} who is asking: {account}",
        "{service} only talks to {account}",
    ),
    "integration_connector": (
        "connect to the service {service} over the {channel} channel",
        "open a connection to {service} ({channel})",
        "establish a lasting link to {service} ({channel})",
        "{service} is to be within reach for good, {channel}",
    ),
    "integration_mapper": (
        "map the field {from_field} of the dataset {dataset} to {to_field}, into {output}",
        "rename {from_field} to {to_field} in {dataset}, as {output}",
        "match our terms with theirs ({from_field} in {dataset} is {to_field} to them), as {output}",
        "others would not know what {from_field} in {dataset} means, they say {to_field}; {output} is for them",
    ),
    "integration_queue": (
        "queue {source} in the queue {queue}",
        "add {source} to the queue {queue}",
        "line {source} up for later in {queue}",
        "{queue} gets to {source} when there is time",
    ),
    "integration_scheduler": (
        "schedule the job {job} for {time} with {source}",
        "plan the job {job} at {time}, working on {source}",
        "set {time} for {job}, with {source} at hand",
        "{job} happens at {time}, and {source} is what it is about",
    ),
    "utility_cache": (
        "cache {source} under the key {key}",
        "keep {source} for quick use under {key}",
        "have {source} at hand as {key}",
        "{key} should answer with {source} from here on",
    ),
    "utility_logger": (
        "log {source} with the level {level}",
        "write {source} to the log as {level}",
        "leave a trace of {source} ({level})",
        "later it has to be possible to see {source} ({level})",
    ),
    "utility_tracker": (
        "track the subject {subject} as {status} with {source}",
        "note that {subject} is {status}, with {source}",
        "keep account of {subject} (it is {status}, and {source} belongs to it)",
        "{subject} counts as {status}, given {source}",
    ),
    "utility_notifier": (
        "notify {recipient} of {source}",
        "send a message with {source} to {recipient}",
        "let {recipient} know about {source}",
        "{recipient} should not have to ask for {source}",
    ),
    "utility_helper": (
        "format {source} with the helper in the style {style}, into the document {output}",
        "lay {source} out as text in the style {style}, called {output}",
        "make {source} presentable ({style}) as {output}",
        "nobody reads {source} as it is; {output} ({style}) would do",
    ),
}

"""`python -m console` is `ultra-console`."""

from console.cli import main

if __name__ == "__main__":
    main()

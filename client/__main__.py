"""``python -m client``: the same as the command ``bank``."""

from client.main import main

if __name__ == "__main__":
    main()

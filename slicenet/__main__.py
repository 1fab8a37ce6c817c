"""`python -m slicenet` is `slicenet`."""

from slicenet.commands import main

if __name__ == "__main__":
    main(prog_name="slicenet")

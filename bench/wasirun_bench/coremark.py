"""What CoreMark's output has to say."""
import re

# Of its run for performance, with 2 KB of data.
CHECKSUMS = (b"seedcrc          : 0xe9f5", b"[0]crclist       : 0xe714", b"[0]crcmatrix     : 0x1fd7",
             b"[0]crcstate      : 0x8e3a")


def score(output):
    """Iterations a second; None where a checksum is another one.

    It guesses from one second how much work takes ten, and calls what took less an error, as it does when code becomes
    faster meanwhile: the checksums tell whether it was right.
    """
    found = re.search(rb"Iterations/Sec +: ([0-9.]+)", output)
    is_right = all(line in output for line in CHECKSUMS)
    return float(found[1]) if found and is_right and float(found[1]) > 0 else None

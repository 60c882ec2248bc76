# SPDX-License-Identifier: Apache-2.0
"""Write Morse code, or read it."""

import sys

CODES = {
    "a": ".-", "b": "-...", "c": "-.-.", "d": "-..", "e": ".", "f": "..-.", "g": "--.", "h": "....", "i": "..",
    "j": ".---", "k": "-.-", "l": ".-..", "m": "--", "n": "-.", "o": "---", "p": ".--.", "q": "--.-", "r": ".-.",
    "s": "...", "t": "-", "u": "..-", "v": "...-", "w": ".--", "x": "-..-", "y": "-.--", "z": "--..",
}  # fmt: skip
LETTERS = {code: letter for letter, code in CODES.items()}


def written(text):
    """Write words in Morse code."""
    words = []
    for word in text.lower().split():
        words.append(" ".join(CODES[letter] for letter in word))
    return " / ".join(words)


def read(text):
    """Read words from Morse code."""
    words = []
    for word in text.strip().split(" / "):
        words.append("".join(LETTERS[code] for code in word.split()))
    return " ".join(words)


def main(arguments, text):
    """Do what the first argument says; 2 where that cannot be done."""
    if len(arguments) != 1 or arguments[0] not in ("write", "read"):
        return 2
    try:
        answer = written(text) if arguments[0] == "write" else read(text)
    except KeyError:
        return 2
    sys.stdout.write(answer + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], sys.stdin.read()))

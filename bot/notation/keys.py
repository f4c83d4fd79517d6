"""Keys: which letters they alter, which tones they have; a tune put into another. It reads no bars."""

import regex

from bot.notation.reading import KEY, PITCH, matched

SCALE = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}  # semitones
LETTERS, SHARPS = "CDEFGAB", "FCGDAEB"
MODES = {
    "": 0,
    "m": -3,
    "ion": 0,
    "maj": 0,
    "mix": -1,
    "dor": -2,
    "aeo": -3,
    "min": -3,
    "phr": -4,
    "loc": -5,
    "lyd": 1,
}
SIGNS = {"^^": 2, "^": 1, "=": 0, "_": -1, "__": -2}
PENTATONIC = (0, 2, 4, 7, 9)

ONE_PITCH = regex.compile(r"(\^\^?|__?|=)?([A-Ga-g])([,']*)")
KEYS = regex.compile(KEY)


def signature(key: str) -> dict[str, int]:
    """By how many semitones a key alters each letter. key: as `Bb` or `Dmin`. ValueError if it is none."""
    found = KEYS.fullmatch(key.strip())
    if not found:
        msg = f"{key!r} is no key, as G or Dmin"
        raise ValueError(msg)
    fifths = SHARPS.index(found[1][0]) - 1 + 7 * found[1].count("#") - 7 * found[1].count("b")
    fifths += MODES[(found[2] or "").lower()[:3]]
    return {
        letter: (fifths - at + 6) // 7 if fifths > 0 else -((-fifths - (6 - at) + 6) // 7)
        for at, letter in enumerate(SHARPS)
    }


def scale(key: str) -> frozenset[int]:
    """The pitch classes of a key, 0 to 11."""
    return frozenset((SCALE[letter] + altered) % 12 for letter, altered in signature(key).items())


def height(pitch: str, altered: int) -> int:
    """MIDI's number of a pitch as ABC writes it; `altered` counts where it has no accidental of its own."""
    sign, letter, marks = matched(ONE_PITCH, pitch).groups()
    octave = 5 + letter.islower() + marks.count("'") - marks.count(",")
    return 12 * octave + SCALE[letter.upper()] + (SIGNS[sign] if sign else altered)


def pentatonic_share(heights: list[int]) -> float:
    """The share of the notes that lie on one pentatonic scale, the one that has most of them."""
    tones = [sum((one - tonic) % 12 in PENTATONIC for one in heights) for tonic in range(12)]
    return max(tones) / len(heights) if heights else 0.0


def transposed(music: str, old: str, new: str) -> str:
    """The notes of a tune in the key `old`, without its header, put the shortest way into `new`.

    Both have the same mode. What is in quotation marks or exclamation marks stays as it is.
    """
    before, after = signature(old), signature(new)
    steps = LETTERS.index(new[0]) - LETTERS.index(old[0])
    steps = (steps + 3) % 7 - 3
    moved = regex.compile(rf"\"[^\"\n]*\"|![^!\n]*!|(?P<pitch>{PITCH})")
    return moved.sub(
        lambda found: _moved(found["pitch"], steps, before, after) if found["pitch"] else found[0], music
    )


def _moved(pitch: str, steps: int, before: dict[str, int], after: dict[str, int]) -> str:
    sign, letter, marks = matched(ONE_PITCH, pitch).groups()
    octave = letter.islower() + marks.count("'") - marks.count(",")
    octave, place = divmod(7 * octave + LETTERS.index(letter.upper()) + steps, 7)
    target = LETTERS[place]
    if sign:
        altered = SIGNS[sign] - before[letter.upper()] + after[target]
        sign = next((one for one, height in SIGNS.items() if height == altered), sign)
    written = target.lower() + "'" * (octave - 1) if octave > 0 else target + "," * -octave
    return (sign or "") + written

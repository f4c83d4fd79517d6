"""Tunes of our own in ABC, right and wrong, for tests."""

RIGHT = {
    "plain": "X:1\nT:Two Bars\nM:2/4\nL:1/8\nK:G\nG2 B2 | d4 |]",
    "without L": "M:6/8\nK:Dmin\nA2A AGF | E3 D3 |]",
    "sixteenths without L": "M:2/4\nK:C\nc4 d4 | e8 |]",
    "pickup and its complement": "M:3/4\nL:1/4\nK:C\nG | c2 d | e2 |]",
    "repeat with endings": "M:2/4\nL:1/8\nK:C\n|: c2 d2 |1 e4 :|2 c4 |]",
    "tuplet": "M:2/4\nL:1/8\nK:C\n(3ccc d2 | e4 |]",
    "broken rhythm": "M:2/4\nL:1/8\nK:C\nc>d e2 | c4 |]",
    "tie over a bar line": "M:2/4\nL:1/8\nK:C\nc2 d2- | d4 |]",
    "slur": "M:2/4\nL:1/8\nK:C\n(c2 d2) | e4 |]",
    "another metre": "M:2/4\nL:1/8\nK:C\nc4 |\nM:3/4\nc6 |]",
    "accidentals": "M:C\nL:1/4\nK:C\n^f _b =c C, | c'4 |]",
}
WRONG = {
    "too long": ("M:2/4\nL:1/8\nK:C\nc4 d | e4 |]", "line 4, sign 4: 5 units in a bar of 4 units"),
    "too short": ("M:2/4\nL:1/8\nK:C\nc4 | d2 | e4 |]", "line 4, sign 9: 2 units in a bar of 4 units"),
    "no key": ("M:2/4\nL:1/8\n", "no line K: stands before the notes"),
    "no metre": ("K:C\nc4 |]", "line 1, sign 1: no metre M: stands before the key"),
    "no note": ("M:2/4\nK:C\n", "there is no note in it"),
    "open tie": ("M:2/4\nL:1/8\nK:C\nc4- |]", "a tie is not closed"),
    "tie to another": ("M:2/4\nL:1/8\nK:C\nc2- d2 |]", "c is tied to d"),
    "open repeat": ("M:2/4\nL:1/8\nK:C\n|: c4 |", "a repeat is not closed"),
    "cut tuplet": ("M:2/4\nL:1/8\nK:C\nc4 | (3cc |]", "a tuplet goes beyond the bar"),
    "no ABC": ("M:2/4\nL:1/8\nK:C\nc4 | hello", "'hello' is not ABC"),
}

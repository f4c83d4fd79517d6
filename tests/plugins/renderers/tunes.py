"""Tunes of our own in ABC notation, and what becomes of them when a model writes badly."""

from random import Random

MOON = """X:1
T:Moon over the Harbour
M:4/4
L:1/8
K:G
|: G2 B2 d2 BG | A2 c2 e2 cA | G2 B2 d2 g2 | f2 d2 c2 A2 :|
|: B2 d2 g2 dB | c2 e2 a2 ec | d2 f2 a2 c'2 | b2 g2 g4 :|
"""
REEL = """X:2
T:Reel of Ash
C:nobody
Q:1/4=140
M:6/8
L:1/8
K:Dm
|: "Dm" A2 D FED | ~E2 {g}F (3GAB c3 |1 d2 e f3 :|2 d3 d3 |]
w: la la la
"""
SALT = """T:Salt
M:2/4
L:1/16
K:Bb
F4G4 | A2>B2 c2<d2 | (e2d2) c4- | c2z2 [FAc]4 | ^f=f _e/2d/ C,D, !trill!E8 |]
"""
BARE = "K:C\nCDEF GABc|cBAG FEDC||\n"
TUNES = [MOON, REEL, SALT, BARE]
SIGNS = "ABCDEFGabcdefgzx0123456789,'/^_=|:[]()<>-~.{}\"!+ \n\\wKMLQTVXP&*$%月"


def perturbed(seed: int) -> str:
    """A tune with up to six slips of the pen."""
    draw = Random(seed)
    text = draw.choice(TUNES)
    for _ in range(draw.randint(0, 6)):
        at, other = sorted(draw.randrange(len(text) + 1) for _ in range(2))
        slips = [
            text[:at] + draw.choice(SIGNS) + text[at:],
            text[:at] + draw.choice(SIGNS) + text[at + 1 :],
            text[:at] + text[at + draw.randint(1, 4) :],
            text[:other] + text[at:other][:40] + text[other:],
            text[:at] + draw.choice(TUNES)[at:],
        ]
        text = draw.choice(slips)
    return text

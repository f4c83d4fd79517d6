"""Files that are not UTF-8: read where their bytes allow no doubt, named where they do."""

import pytest

from bot.errors import CorpusError
from bot.text.encodings import surely
from bot.text.files import read_lines

JAPANESE = "しずかな夜に月がのぼる。\nわたしは窓をあけて、遠い海の音をきいた。\n" * 20
CHINESE = "月亮照在安静的山上。\n我打开窗户，听见远处的海声。\n" * 20
CHINESE_OLD = "月亮照在安靜的山上。\n我打開窗戶，聽見遠處的海聲。\n" * 20
KOREAN = "달이 조용한 산 위에 떠오른다.\n나는 창문을 열고 먼 바다 소리를 들었다.\n" * 20


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (JAPANESE, "cp932"),
        (JAPANESE, "euc_jp"),
        (CHINESE, "gb18030"),
        (CHINESE_OLD, "big5"),
        (KOREAN, "cp949"),
    ],
)
def test_what_is_surely_another_encoding_is_read_so_and_told(tmp_path, caplog, text, encoding):
    file = tmp_path / "moon.txt"
    file.write_bytes(text.encode(encoding))

    assert "".join(read_lines(file)) == text
    assert "moon.txt is " in caplog.text


@pytest.mark.parametrize("start", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_utf_8_is_read_with_or_without_a_mark_and_with_any_line_ends(tmp_path, start, end):
    file = tmp_path / "moon.txt"
    file.write_bytes((start + JAPANESE.replace("\n", end)).encode())

    assert "".join(read_lines(file)) == JAPANESE


def test_an_encoding_of_one_byte_a_letter_is_named_and_not_guessed(tmp_path):
    """It could be any of its kind."""
    file = tmp_path / "moon.txt"
    file.write_bytes(("Mondlicht über den Dächern\n" * 20).encode("cp1252"))

    with pytest.raises(
        CorpusError, match=r"moon\.txt:1: byte 0xFC is not utf-8.*with cp1252 the place reads"
    ):
        list(read_lines(file))


def test_damaged_utf_8_stays_utf_8(tmp_path):
    """One wrong byte makes no other language of it."""
    content = bytearray(JAPANESE.encode())
    content[100] = 0xFF
    file = tmp_path / "moon.txt"
    file.write_bytes(content)

    assert surely(file) is None
    with pytest.raises(CorpusError, match="is not utf-8"):
        list(read_lines(file))

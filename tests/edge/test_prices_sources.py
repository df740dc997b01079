"""Each source's documented shapes and troubles, read by its own parser; and whatever else a body may hold."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.prices.registry import DEFAULT_SOURCES, SOURCES, parse_sources
from bot.prices.source import Reason, SourceError

SHARED = Path(__file__).parents[2].parent / "shared" / "data" / "price_samples"
NOW = datetime(2026, 9, 7, 7, 26, 20, tzinfo=UTC)

TICKERS = {
    "coinbase": '{"ask":"79540.05","bid":"79540.04","volume":"2425.48311563","trade_id":1089753385,'
    '"price":"79540.05","size":"0.00023846","time":"2026-09-07T07:26:13.721780188Z","rfq_volume":"20.622389"}',
    "kraken": '{"error":[],"result":{"XXBTZUSD":{"a":["65232.00000","1","1.000"],"b":["65231.90000","2","2.000"],'
    '"c":["65231.80000","0.00802897"],"v":["1021.1","2403.9"],"p":["65100.1","65050.3"],"t":[21450,49881],'
    '"l":["64000.0","63880.1"],"h":["65900.0","65990.0"],"o":"64000.00000"}}}',
    "bitstamp": '{"timestamp":"1785145937","open":"64000","high":"65990","low":"63880","last":"65236.60",'
    '"volume":"1190.2","vwap":"64900","bid":"65236","ask":"65237","side":"1","market_type":"SPOT"}',
    "gemini": '{"bid":"9117.95","ask":"9117.96","volume":{"BTC":"1523.2","USD":"13888921.4",'
    '"timestamp":1594982700000},"last":"9115.23"}',
    "coingecko": '{"bitcoin":{"usd":50000,"last_updated_at":1700000000}}',
    "mempool": '{"time":1703252411,"USD":43753,"EUR":40545}',
}
READ = {
    "coinbase": (7_954_005, datetime(2026, 9, 7, 7, 26, 13, 721_780, UTC), "2425.48311563"),
    "kraken": (6_523_180, None, "1021.1"),
    "bitstamp": (6_523_660, datetime(2026, 7, 27, 9, 52, 17, tzinfo=UTC), "1190.2"),
    "gemini": (911_523, None, "1523.2"),
    "coingecko": (5_000_000, datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC), None),
    "mempool": (4_375_300, datetime(2023, 12, 22, 13, 40, 11, tzinfo=UTC), None),
}
TROUBLES = [
    ("coinbase", '{"message":"Public rate limit exceeded"}', Reason.VENUE_ERROR),
    ("coinbase", '{"message":"NotFound"}', Reason.VENUE_ERROR),
    ("kraken", '{"error":["EService:Unavailable"]}', Reason.VENUE_ERROR),
    ("kraken", '{"error":["EGeneral:Too many requests"]}', Reason.RATE_LIMITED),
    ("kraken", '{"error":["EAPI:Rate limit exceeded"],"result":{}}', Reason.RATE_LIMITED),
    ("bitstamp", '{"error":"Bitstamp.net is under scheduled maintenance."}', Reason.VENUE_ERROR),
    ("bitstamp", "<!DOCTYPE html><title>Maintenance</title>", Reason.BAD_BODY),
    ("gemini", '{"result":"error","reason":"RateLimit","message":"…"}', Reason.RATE_LIMITED),
    ("gemini", '{"result":"error","reason":"Maintenance","message":"…"}', Reason.VENUE_ERROR),
    ("coingecko", '{"status":{"error_code":429,"error_message":"…"}}', Reason.RATE_LIMITED),
    ("coingecko", '{"status":{"error_code":1006}}', Reason.VENUE_ERROR),
    ("mempool", '{"time":1703252411,"USD":-1}', Reason.BAD_BODY),
]
SAMPLES = {
    "coinbase": "coinbase_ticker",
    "kraken": "kraken_ticker",
    "bitstamp": "bitstamp_ticker",
    "gemini": "gemini_pubticker",
    "coingecko": "coingecko_simple_price",
    "mempool": "mempool_prices",
}
SAMPLE_TROUBLES = {
    "coinbase_404": ("coinbase", Reason.VENUE_ERROR),
    "coinbase_429": ("coinbase", Reason.VENUE_ERROR),
    "coinbase_candles": ("coinbase", Reason.BAD_BODY),
    "kraken_unavailable_http200": ("kraken", Reason.VENUE_ERROR),
    "kraken_throttled_http200": ("kraken", Reason.RATE_LIMITED),
    "kraken_trades": ("kraken", Reason.BAD_BODY),
    "bitstamp_maintenance": ("bitstamp", Reason.VENUE_ERROR),
    "gemini_429": ("gemini", Reason.RATE_LIMITED),
    "coingecko_429": ("coingecko", Reason.RATE_LIMITED),
}
PRICE_PATHS = {
    "coinbase": ("price",),
    "kraken": ("result", "XXBTZUSD", "c", 0),
    "bitstamp": ("last",),
    "gemini": ("last",),
    "coingecko": ("bitcoin", "usd"),
    "mempool": ("USD",),
}


def with_price(name: str, literal: str) -> bytes:
    """The source's ticker with a JSON literal in the place of its price."""
    ticker = json.loads(TICKERS[name])
    place = ticker
    for key in PRICE_PATHS[name][:-1]:
        place = place[key]
    place[PRICE_PATHS[name][-1]] = "@"
    return json.dumps(ticker).replace('"@"', literal).encode()


def reason_of(name: str, body: bytes) -> Reason:
    with pytest.raises(SourceError) as caught:
        SOURCES[name].parse(body, NOW)
    return caught.value.reason


@pytest.mark.parametrize("name", SOURCES)
def test_it_reads_the_documented_shape(name):
    quote = SOURCES[name].parse(TICKERS[name].encode(), NOW)
    assert (quote.price, quote.at, quote.volume) == READ[name]
    assert (quote.source, quote.fetched_at) == (name, NOW)


@pytest.mark.parametrize(("name", "body", "reason"), TROUBLES)
def test_it_knows_trouble_when_it_reads_it(name, body, reason):
    assert reason_of(name, body.encode()) is reason


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason=f"{SHARED} is absent")
def test_it_reads_every_shared_sample():
    for name, stem in SAMPLES.items():
        quote = SOURCES[name].parse((SHARED / f"{stem}.json").read_bytes(), NOW)
        assert (quote.price, quote.at, quote.volume) == READ[name]
    for stem, (name, reason) in SAMPLE_TROUBLES.items():
        assert reason_of(name, (SHARED / f"{stem}.json").read_bytes()) is reason
    assert {path.stem for path in SHARED.iterdir()} == {*SAMPLES.values(), *SAMPLE_TROUBLES}


def test_krakens_one_ticker_counts_whatever_its_key():
    renamed = TICKERS["kraken"].replace("XXBTZUSD", "XBT/USD")
    assert SOURCES["kraken"].parse(renamed.encode(), NOW).price == 6_523_180
    ticker = json.loads(TICKERS["kraken"])
    ticker["result"]["XETHZUSD"] = ticker["result"]["XXBTZUSD"]
    assert reason_of("kraken", json.dumps(ticker).encode()) is Reason.BAD_BODY


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize(
    ("literal", "cents"),
    [
        ('"65231.80000"', 6_523_180),
        ("50000.123", 5_000_012),
        ("50000.125", 5_000_013),
        ("50000.124999999999999999", 5_000_012),
        ("6.5e4", 6_500_000),
        ('"0.01"', 1),
        ("0.005", 1),
        ("100000000", 10_000_000_000),
        ("90071992547409.93e-6", 9_007_199_255),
    ],
)
def test_a_price_is_exact_to_the_cent(name, literal, cents):
    assert SOURCES[name].parse(with_price(name, literal), NOW).price == cents


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize(
    "literal",
    [
        *("0", "0.0", '"0.00"', "0.004", "-1", '"-65000"', "NaN", '"NaN"', "Infinity", "-Infinity", '"Infinity"'),
        *("null", "true", "false", '""', '" 65000"', '"65,000"', '"6.5e4"', '"٦٥٠٠٠"', '"65000\\n"', "[65000]", "{}"),
        *("100000000.01", "1e300", "1e999999999", "1e-999999999", "1e99999999999999999999", "9" * 5_000, '"1/3"'),
        '"' + "9" * 5_000 + '"',
    ],
)
def test_a_price_that_is_none_is_refused(name, literal):
    assert reason_of(name, with_price(name, literal)) is Reason.BAD_BODY


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize(
    "body", ["", "null", "[]", '"65000"', "65000", "{}", "{", "\xff", "[" * 60_000, '{"a":' * 9_000]
)
def test_a_body_that_is_no_ticker_is_refused(name, body):
    assert reason_of(name, body.encode("latin-1")) is Reason.BAD_BODY


@pytest.mark.parametrize(
    ("name", "was", "becomes"),
    [
        ("coinbase", '"2026-09-07T07:26:13.721780188Z"', literal)
        for literal in ('"2026-09-07T07:26:13"', '"0001-01-01T00:00:00+23:59"', '"soon"', "1757229973", "null")
    ]
    + [("bitstamp", '"1785145937"', literal) for literal in ('"-1"', '"1785145937.5"', "true", "null", "1e9", '"9e9"')]
    + [("mempool", "1703252411", literal) for literal in ("0", "-5", "1703252411000", "99999999999999999999", "[]")]
    + [("coingecko", "1700000000", literal) for literal in ("1700000000.5", "null", '"x"', "false")],
)
def test_a_time_that_is_none_is_refused(name, was, becomes):
    assert was in TICKERS[name]
    assert reason_of(name, TICKERS[name].replace(was, becomes).encode()) is Reason.BAD_BODY


def test_a_volume_is_optional_and_bounded():
    without = json.loads(TICKERS["gemini"])
    del without["volume"]
    assert SOURCES["gemini"].parse(json.dumps(without).encode(), NOW).volume is None
    long = TICKERS["bitstamp"].replace("1190.2", "1" * 999)
    assert len(SOURCES["bitstamp"].parse(long.encode(), NOW).volume or "") == 64


numbers = st.one_of(st.integers(), st.floats(), st.text(max_size=8), st.booleans(), st.none())
keys = st.sampled_from(
    [
        *("price", "time", "volume", "message", "error", "result", "c", "v", "last", "timestamp", "status", "reason"),
        *("bitcoin", "usd", "last_updated_at", "USD", "BTC", "error_code"),
    ]
)
bodies = st.recursive(numbers, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner), max_leaves=12)


@pytest.mark.parametrize("name", SOURCES)
@given(body=st.one_of(st.binary(max_size=40), bodies.map(lambda value: json.dumps(value).encode())))
def test_any_body_gives_a_quote_or_a_source_error(name, body):
    try:
        quote = SOURCES[name].parse(body, NOW)
    except SourceError as error:
        assert error.reason in (Reason.BAD_BODY, Reason.VENUE_ERROR, Reason.RATE_LIMITED)  # noqa: PT017
    else:
        assert 0 < quote.price <= 10_000_000_000


def test_the_default_sources_are_the_four_venues():
    assert parse_sources() == [
        ("coinbase", "https://api.exchange.coinbase.com"),
        ("kraken", "https://api.kraken.com"),
        ("bitstamp", "https://www.bitstamp.net"),
        ("gemini", "https://api.gemini.com"),
    ]
    assert parse_sources(DEFAULT_SOURCES) == parse_sources()


def test_a_source_may_have_another_base_url():
    assert parse_sources(" mempool = http://127.0.0.1:8999/ , coingecko=https://proxy.example/gecko") == [
        ("mempool", "http://127.0.0.1:8999"),
        ("coingecko", "https://proxy.example/gecko"),
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("krakn", "“krakn” is no price source; name some of coinbase, kraken, bitstamp, gemini, coingecko, mempool"),
        ("", "“” is no price source"),
        ("coinbase,,kraken", "“” is no price source"),
        ("Coinbase", "“Coinbase” is no price source"),
        ("kraken,coinbase,kraken=https://other.example", "“kraken” is named twice"),
        ("kraken=", "“kraken” must read like https://api.kraken.com"),
        ("kraken=api.kraken.com", "“kraken” must read like https://api.kraken.com"),
        ("kraken=ftp://api.kraken.com", "“kraken” must read like"),
        ("kraken=https://", "“kraken” must read like"),
        ("kraken=https://host:port", "“kraken” must read like"),
        ("kraken=https://host/?a=b", "“kraken” must read like"),
        ("kraken=https://[::1", "“kraken” must read like"),
        ("kraken=https://a b", "“kraken” must read like"),
    ],
)
def test_a_wrong_choice_of_sources_says_what_would_be_right(text, says):
    with pytest.raises(ValueError, match=re.escape(says)) as caught:
        parse_sources(text)
    assert "\n" not in str(caught.value)


def test_a_refused_base_url_does_not_show_its_password():
    with pytest.raises(ValueError, match="without user") as caught:
        parse_sources("kraken=https://me:hunter2@host")
    assert "hunter2" not in str(caught.value)

"""Amounts, as programs and as people write them."""

import pytest

from core.amounts import parse_typed_amount
from core.money import InvalidAmount, Money

# What is no amount, anywhere, and what is said of it.
NO_AMOUNTS = {
    "0": "amount_not_positive",
    "0.00": "amount_not_positive",
    "-5": "amount_has_sign",
    "+5": "amount_has_sign",
    "\N{MINUS SIGN}5": "amount_has_sign",
    "1.234": "too_many_decimals",
    "1.2345678901234567890": "too_many_decimals",
    "99999999999999999999": "amount_too_large",
    "10000000000000.01": "amount_too_large",
    "9" * 5_000: "amount_too_large",
    "NaN": "amount_not_a_number",
    "Infinity": "amount_not_a_number",
    "1e3": "amount_has_exponent",
    "1E-2": "amount_has_exponent",
    "\N{ARABIC-INDIC DIGIT FIVE}": "amount_has_other_digits",
    "1\N{DEVANAGARI DIGIT FIVE}": "amount_has_other_digits",
    "1\N{SUPERSCRIPT TWO}": "invalid_amount",
    "ten": "invalid_amount",
    "1.": "invalid_amount",
    ".5": "invalid_amount",
    "0x10": "invalid_amount",
    "1_000": "invalid_amount",
}


class TestMoneyParse:
    @pytest.mark.parametrize(
        ("text", "currency", "minor"),
        [
            ("1250", "INR", 125_000),
            ("1250.5", "INR", 125_050),
            ("0.01", "INR", 1),
            ("0000000000000000000000007", "JPY", 7),
            ("1.005", "KWD", 1_005),
            ("10000000000000.00", "INR", 10**15),
        ],
    )
    def test_reads_plain_decimals(self, text: str, currency: str, minor: int) -> None:
        assert Money.parse(text, currency) == Money(minor, currency)

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            *NO_AMOUNTS.items(),
            ("1,250", "invalid_amount"),
            ("1 250", "invalid_amount"),
            ("5\n", "invalid_amount"),
            ("\N{FULLWIDTH DIGIT ONE}\N{FULLWIDTH DIGIT TWO}", "amount_has_other_digits"),
            ("\N{DEVANAGARI DIGIT FIVE}", "amount_has_other_digits"),
            ("", "invalid_amount"),
        ],
    )
    def test_says_what_is_wrong(self, text: str, code: str) -> None:
        with pytest.raises(InvalidAmount) as caught:
            Money.parse(text, "INR")
        assert (caught.value.code, caught.value.field) == (code, "amount")

    def test_knows_the_decimals_of_each_currency(self) -> None:
        with pytest.raises(InvalidAmount, match="JPY has 0 decimals"):
            Money.parse("1.5", "JPY")


class TestTypedAmount:
    @pytest.mark.parametrize(
        ("text", "currency", "minor"),
        [
            ("₹1,25,000.50", "INR", 12_500_050),
            (" 1 250 ", "INR", 125_000),
            ("1,250", "INR", 125_000),
            ("1\N{NO-BREAK SPACE}250.5 INR", "INR", 125_050),
            ("JP¥1,000", "JPY", 1_000),
            ("1,234,567.891", "KWD", 1_234_567_891),
            ("1.250,50", "INR", 125_050),
            ("1.234.567", "INR", 123_456_700),
            ("1\N{NARROW NO-BREAK SPACE}250,50 Kč", "CZK", 125_050),
            ("1 25 000.50", "INR", 12_500_050),
            ("1\N{RIGHT SINGLE QUOTATION MARK}250.50", "CHF", 125_050),
            ("Rs. 500/-", "INR", 50_000),
            ("\N{FULLWIDTH DIGIT ONE}\N{FULLWIDTH DIGIT TWO}", "INR", 1_200),
            ("\N{DEVANAGARI DIGIT FIVE}.\N{DEVANAGARI DIGIT NINE}", "INR", 590),
            ("1.250,500", "KWD", 1_250_500),
        ],
    )
    def test_reads_what_people_write(self, text: str, currency: str, minor: int) -> None:
        assert parse_typed_amount(text, currency) == Money(minor, currency)

    @pytest.mark.parametrize(
        "text", ["12,50", "1,2500", ",5", "1,25.00", "1250,", "1,250.000,5", "1.25,50"]
    )
    def test_does_not_guess_what_a_comma_means(self, text: str) -> None:
        with pytest.raises(InvalidAmount) as caught:
            parse_typed_amount(text, "INR")
        assert caught.value.code == "amount_has_comma"

    @pytest.mark.parametrize(
        ("text", "currency", "code"),
        [
            ("1,250", "KWD", "amount_has_comma"),
            ("1.250", "INR", "too_many_decimals"),
            ("25 50", "INR", "invalid_amount"),
            ("1 250 5", "INR", "invalid_amount"),
        ],
    )
    def test_does_not_guess_what_may_be_decimals(self, text: str, currency: str, code: str) -> None:
        with pytest.raises(InvalidAmount) as caught:
            parse_typed_amount(text, currency)
        assert caught.value.code == code

    @pytest.mark.parametrize(("text", "code"), NO_AMOUNTS.items())
    def test_takes_no_more_than_the_api_otherwise(self, text: str, code: str) -> None:
        with pytest.raises(InvalidAmount) as caught:
            parse_typed_amount(text, "INR")
        assert caught.value.code == code

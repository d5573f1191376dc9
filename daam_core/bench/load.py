"""How the app holds up under many visitors at a time, beside one who asks one thing after another.

Visitors are threads of this process, which ask over HTTP as programs do; on a small machine they take a part
of what they measure.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from daam_core.bench.app import running_app, timed_call
from daam_core.bench.library import ordinary_text
from daam_core.errors import ConfigError
from daam_core.locating import built_in_models
from daam_core.trained import load_model

VISITORS = 20
#: Explanations of each measurement, and asked by one visitor beforehand.
ASKED, WARM_UP = 40, 3
LONG_TEXT = "word of a long text "
LONG_CHARACTERS = 50_000
EMPTY = "   "


@dataclass(frozen=True)
class LoadTimes:
    """The app under load; texts of 40 words, each another one.

    Attributes:
        visitors: at a time.
        alone_per_second: answers of one visitor who asks one after the other.
        together_per_second: answers of all of them.
        ratio: of the latter to the former.
        fairness: the time that the slowest visitor takes for its share of them over the fastest one's.
        alike_seconds, unlike_seconds: until all have their answers to one text; each to a text of its own.
        refusal_seconds: until an empty text is refused while all others wait.
        long_seconds: an explanation of 50,000 characters.
        beside_long_seconds: the longest that another visitor waits for a text of 40 words meanwhile.
    """

    visitors: int
    alone_per_second: float
    together_per_second: float
    ratio: float
    fairness: float
    alike_seconds: float
    unlike_seconds: float
    refusal_seconds: float
    long_seconds: float
    beside_long_seconds: float


def bench_load(
    *,
    model: str | None = None,
    visitors: int = VISITORS,
    asked: int = ASKED,
    characters: int = LONG_CHARACTERS,
) -> LoadTimes:
    """Start the app on a classifier for texts and ask it.

    Args:
        model: its name; the first built-in one by default.
        visitors: how many ask at a time.
        asked: explanations of each measurement.
        characters: of the long text.

    Raises:
        ConfigError: no classifier for text, or the app does not start or answer.
    """
    names = [model] if model is not None else built_in_models()
    texts = [name for name in names if load_model(name).config.modality == "text"]
    if not texts:
        raise ConfigError("Timing the app under load needs a classifier for text; give one with --model.")
    name, numbers = texts[0], iter(range(10**9))
    with running_app([name]) as address, ThreadPoolExecutor(visitors) as pool:

        def ask(text: str | None = None) -> float:
            words = text if text is not None else f"{next(numbers)} {ordinary_text()}"
            return timed_call(address, [words, name, "", "all_heads", {}], refused=words == EMPTY)

        def of_all(text: Callable[[], str | None]) -> list[float]:
            return list(pool.map(lambda _: ask(text()), range(visitors)))

        for _ in range(WARM_UP):
            ask()
        alone = _seconds(lambda: [ask() for _ in range(asked)])
        each = max(1, asked // visitors)
        shares: list[float] = []
        together = _seconds(
            lambda: shares.extend(
                pool.map(lambda _: _seconds(lambda: [ask() for _ in range(each)]), range(visitors))
            )
        )
        unlike = of_all(lambda: None)
        same = f"alike {ordinary_text()}"
        alike = of_all(lambda: same)
        waiting = [pool.submit(ask) for _ in range(visitors - 1)]
        time.sleep(0.05)
        refusal = ask(EMPTY)
        for one in waiting:
            one.result()
        long = pool.submit(ask, (LONG_TEXT * characters)[:characters])
        beside = [ask()]
        while not long.done():
            beside.append(ask())
        return LoadTimes(
            visitors=visitors,
            alone_per_second=asked / alone,
            together_per_second=each * visitors / together,
            ratio=(each * visitors / together) / (asked / alone),
            fairness=max(shares) / min(shares),
            alike_seconds=max(alike),
            unlike_seconds=max(unlike),
            refusal_seconds=refusal,
            long_seconds=long.result(),
            beside_long_seconds=max(beside),
        )


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started

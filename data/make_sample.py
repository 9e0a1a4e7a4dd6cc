"""Makes data/sample/ again: the embedded model's answers to 40 prompts, and its verdicts."""

import tempfile
from pathlib import Path

from arena.cli.progress import watched
from arena.config import load_config
from arena.generation.answering import generate
from arena.generation.prompts import load_prompts
from arena.interchange.sample import dump_sample
from arena.judging import judge, load_card
from arena.store import Store

HERE = Path(__file__).parent
PROMPTS = 40


def main() -> None:
    """Run the first two stages of demo.yaml on more prompts, and write the rows."""
    config = load_config(HERE / "demo.yaml")
    with tempfile.TemporaryDirectory() as folder, watched() as tracker:
        store = Store(Path(folder) / "sample.db")
        prompts = load_prompts(["core"], store.home, PROMPTS)
        for model in config.candidates().values():
            generate(store, model, prompts, tracker(f"{model.name} answers"))
        for run in config.judges:
            card = load_card(run.judge, store.home)
            judge(store, card, prompts, watch=tracker)
        dump_sample(store, HERE / "sample")


if __name__ == "__main__":
    main()

"""The stage that lets candidates answer: generate."""

from arena.cli.options import (
    ConfigFile,
    Db,
    Limit,
    Models,
    NewVersion,
    Prompts,
    db_path,
    fill_store,
    settings,
    split,
)
from arena.cli.progress import finish, watched
from arena.errors import InputError


def generate(
    models: Models = None,
    prompts: Prompts = None,
    limit: Limit = None,
    new_version: NewVersion = False,
    db: Db = None,
    config: ConfigFile = None,
) -> None:
    """Let models answer prompts, and store what they say.

    The models and prompts are those of arena.yaml, unless options name others. What is stored
    already is not asked again, so a run that was stopped goes on where it was.

    \b
    arena generate                              the models and prompts of arena.yaml
    arena generate --model smollm2 --limit 5    one model on five prompts
    """
    from arena.generation.answering import generate as answer
    from arena.generation.prompts import load_prompts
    from arena.store.versions import settle

    conf = settings(config, ("models", "prompts", "limit"))
    chosen = [conf.model(text) for text in split(models)] or list(conf.candidates().values())
    if not chosen:
        raise InputError("name a model with --model, or write some into arena.yaml")
    home = db_path(db, conf).resolve().parent
    wanted = load_prompts(split(prompts) or conf.prompts, home, limit or conf.limit)
    with fill_store(db_path(db, conf)) as store, watched() as tracker:
        settled = settle(store, chosen, new_version=new_version)
        steps = [answer(store, m, wanted, tracker(f"{m.name} answers")) for m in settled]
    finish(steps)


COMMANDS = (generate,)

"""A model whose settings were changed: which version of it a name stands for now.

`greedy` in arena.yaml is stored as `greedy`; with other settings it is another model, and is
stored as `greedy@2`, beside the old one. Which of them the file means is told by the settings
themselves, so going back to earlier settings goes back to their answers.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from arena.records import Model, Note
from arena.records.errors import InputError, ModelConflictError
from arena.records.names import apart, old_versions
from arena.store import Store
from arena.store.archive import Archivable
from arena.store.store import described, differences


@dataclass(frozen=True, slots=True)
class Changed:
    """A model that is not as it is stored. stored: the latest version of it."""

    model: Model
    stored: Model
    next_name: str

    def __str__(self) -> str:
        return f"models.{self.model.name}: {described(self.stored, self.model)}"


def find(store: Store, model: Model) -> Model | Changed:
    """The model under the name that its settings are stored by, or how they have changed."""
    versions = [
        one
        for one in store.models(archived=True)
        if one.name == model.name or apart(one.name)[0] == model.name
    ]
    versions.sort(key=lambda one: apart(one.name)[1])
    for one in reversed(versions):
        if one.key == model.key:
            return replace(model, name=one.name, first_name=one.first_name)
    if not versions or (len(versions) == 1 and not store.has_rows(versions[0].name)):
        return model
    latest = versions[-1]
    return Changed(model, latest, f"{model.name}@{apart(latest.name)[1] + 1}")


def settle(store: Store, models: Sequence[Model], *, new_version: bool = False) -> list[Model]:
    """Each model under the name that it is stored by, which is in use from now on.

    new_version: settings that changed make a new version, which they also do where all earlier
    ones are archived. Raises ModelConflictError where they changed otherwise, and InputError for
    a model that is archived. Call it before anything is asked.
    """
    settled = resolve(store, models, new_version=new_version)
    names = [model.name for model in settled]
    known = {model.name for model in store.models(archived=True)}.union(names)
    old = old_versions(known, store.in_use())
    store.use(name for name in names if name in old)
    return settled


def resolve(store: Store, models: Sequence[Model], *, new_version: bool = False) -> list[Model]:
    """The models as `settle` has them, for who asks nothing."""
    aside = store.archive.names(Archivable.MODEL)
    every = [(model, find(store, model)) for model in models]
    changed = [found for _, found in every if isinstance(found, Changed)]
    if (refused := [one for one in changed if one.stored.name not in aside]) and not new_version:
        raise ModelConflictError(_ways_out(refused))
    settled = []
    for model, found in every:
        if isinstance(found, Changed):
            found = replace(model, name=found.next_name)
        elif found.name in aside:
            raise InputError(
                f"the model {found.name} is archived; 'arena models restore {found.name}' takes "
                "it back, and without it in arena.yaml the others run"
            )
        settled.append(found)
    return settled


def standing(store: Store, models: Iterable[Model]) -> tuple[list[Model], list[Note]]:
    """The models of a file without those that are archived, and a note for each of these.

    Raises InputError where all are archived.
    """
    aside = store.archive.names(Archivable.MODEL)
    kept, skipped = [], []
    for model in models:
        found = find(store, model)
        if isinstance(found, Model) and found.name in aside:
            skipped.append(Note.of("archived.model", name=found.name))
        else:
            kept.append(model)
    if skipped and not kept:
        raise InputError(Note.of("archived.all"))
    return kept, skipped


def replaced(store: Store, more: Iterable[str] = (), in_use: Iterable[str] = ()) -> dict[str, str]:
    """The stored models that another version took the place of, each with the one in use.

    more: names beside those stored. in_use: versions known to be in use now, whatever runs took.
    """
    names = {model.name for model in store.models()}.union(more)
    return old_versions(names, (*store.in_use(), *in_use))


def current_name(store: Store, model: Model) -> str:
    """The name that a model's answers are stored by; its own where it has changed since."""
    found = find(store, model)
    return found.model.name if isinstance(found, Changed) else found.name


def stored_name(store: Store, candidates: Mapping[str, Model], name: str) -> str:
    """The version for which a name in arena.yaml stands, or the name itself.

    candidates: the models of arena.yaml by name. NAME@1 is the first version, which is stored
    without a number.
    """
    stem, number = apart(name)
    if number == 1 and stem != name:
        return stem
    return current_name(store, candidates[name]) if name in candidates else name


def _ways_out(changed: Sequence[Changed]) -> str:
    told = []
    for one in changed:
        said = [
            f"{key} is {now!r} and was {was!r}"
            for key, was, now in differences(one.stored, one.model)
        ]
        told.append(f"models.{one.model.name}: {', '.join(said)}")
    old = " and ".join(one.stored.name for one in changed)
    new = " and ".join(one.next_name for one in changed)
    return (
        f"{'; '.join(told)}; and what is stored as {old} was made with the old settings. "
        f"--new-version stores the new ones as {new} and keeps the old beside; "
        "or write the old settings again, or take another name"
    )

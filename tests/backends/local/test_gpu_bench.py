"""The benchmark for GPUs does all that it does there with a small model on a processor too."""

import json

import pytest
import torch

from bench import gpu


@pytest.mark.slow
def test_all_of_it_runs_at_tiny_size(capsys: pytest.CaptureFixture[str]) -> None:
    gpu.main(["--tiny", "--json"])
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert found["verdicts"]["count"] == 2 * 3 * 2
    assert found["verdicts"]["tokens_computed"] < 0.6 * 12 * (200 + 60 + 2 * 30)
    assert found["memory"]["texts"] == gpu.TINY["asked"]
    assert found["memory"]["out_of_memory"] > 0
    assert all(value > 0 for value in found["answers"].values())


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_without_a_gpu_one_sentence_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        gpu.main([])
    assert stopped.value.code == 2
    assert "--tiny runs all of it on a processor" in capsys.readouterr().err


def test_the_shape_is_that_of_internlm2_20b() -> None:
    """The weights of the published checkpoint: 19.86 billion."""
    from transformers import LlamaConfig, LlamaForCausalLM

    with torch.device("meta"):
        model = LlamaForCausalLM(LlamaConfig(**gpu.SHAPE))
    assert sum(p.numel() for p in model.parameters()) == 19_861_149_696

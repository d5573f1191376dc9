"""Output, gate and every gradient of the kernels against the formulas; where the formulas remain."""

import threading

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from daam_core.bench.measuring import peak_bytes
from daam_core.errors import ShapeError
from daam_core.kernels import attend as attend_module
from daam_core.kernels import cpu
from daam_core.kernels.attend import formulas_alone, kernel_for
from daam_core.layers import DensityAttention

KINDS = [
    (mode, gate, amplitude)
    for mode in ("shared", "layer_groups")
    for gate in ("density", "mixture")
    for amplitude in ("none", "layer")
]
DOUBLE = torch.float64


@pytest.fixture(autouse=True)
def prepared(monkeypatch):
    """Compiled, and used for inputs of any size."""
    pytest.importorskip("numba", reason="The kernels need numba.")
    assert cpu.prepare(torch.float32, wait=True)
    assert cpu.prepare(torch.float64, wait=True)
    monkeypatch.setattr(attend_module, "SMALLEST", 0)


def drawn(mode, gate, amplitude, *, layers=10, features=336, heads=3, dtype=torch.float32):
    torch.manual_seed(0)
    attention = DensityAttention(
        n_layers=layers,
        n_features=features,
        n_heads=heads,
        mode=mode,
        gate_kind=gate,
        n_gaussians=4 if gate == "mixture" else 1,
        amplitude=amplitude,
    )
    with torch.no_grad():
        for parameter in attention.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return attention.to(dtype)


def passes(attention, x, *, of_gate=True):
    """Output, gate, and the gradients of x and of every parameter."""
    x = x.detach().requires_grad_()
    output, gate = attention(x)
    torch.manual_seed(1)
    weights = [torch.randn_like(output), torch.randn_like(gate)]
    measured = (output * weights[0]).sum() + ((gate * weights[1]).sum() if of_gate else 0)
    return [output.detach(), gate.detach(), *torch.autograd.grad(measured, [x, *attention.parameters()])]


def by_formulas(attention, x, **which):
    with formulas_alone():
        return passes(attention, x, **which)


def largest(found, expected):
    return [
        float((one - other).abs().max() / other.abs().max())
        for one, other in zip(found, expected, strict=True)
    ]


@pytest.mark.parametrize("of_gate", [True, False])
@pytest.mark.parametrize("kind", KINDS, ids="-".join)
def test_float64_equals_the_formulas_gradients_included(kind, of_gate):
    attention, x = drawn(*kind, dtype=DOUBLE), torch.randn(7, 10, 336, dtype=DOUBLE)
    assert kernel_for(x, attention._heads) is cpu
    found, expected = passes(attention, x, of_gate=of_gate), by_formulas(attention, x, of_gate=of_gate)
    assert max(largest(found, expected)) < 1e-12


@pytest.mark.parametrize("kind", KINDS, ids="-".join)
def test_float32_is_as_near_to_float64_as_the_formulas_are(kind):
    attention, x = drawn(*kind, layers=12), torch.randn(7, 12, 336)
    found, plain = passes(attention, x), by_formulas(attention, x)
    exact = by_formulas(attention.double(), x.double())
    for own, theirs in zip(largest(found, exact), largest(plain, exact), strict=True):
        assert own < max(1e-6, 3 * theirs)


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(KINDS),
    st.integers(1, 6),
    st.integers(1, 3),
    st.integers(3, 7),
    st.integers(1, 20),
    st.integers(0, 99),
)
def test_any_size_equals_the_formulas(kind, batch, heads, per_head, vectors, seed):
    layers = heads * per_head + seed % 2
    attention = drawn(*kind, layers=layers, heads=heads, features=16 * vectors, dtype=DOUBLE)
    torch.manual_seed(seed)
    x = 10 ** (seed % 5 - 2) * torch.randn(batch, layers, 16 * vectors, dtype=DOUBLE) + seed % 3
    found, expected = passes(attention, x), by_formulas(attention, x)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-8, atol=1e-9 * float(other.abs().max()))


@pytest.mark.parametrize("kind", KINDS, ids="-".join)
def test_gradcheck_and_gradients_of_gradients(kind):
    attention = drawn(*kind, layers=4, heads=1, features=8, dtype=DOUBLE)
    x = torch.randn(2, 4, 8, dtype=DOUBLE, requires_grad=True)
    names = [name for name, _ in attention.named_parameters()]
    given_ = (x, *(parameter.detach().clone().requires_grad_() for parameter in attention.parameters()))

    def rows(values, *parameters):
        return torch.func.functional_call(attention, dict(zip(names, parameters, strict=True)), (values,))

    assert torch.autograd.gradcheck(rows, given_)
    assert torch.autograd.gradgradcheck(rows, given_)


def pooled_passes(attention, x):
    """Each head's mean over its layers, and the gradients of x and of every parameter."""
    x = x.detach().requires_grad_()
    output = attention.pooled(x)
    torch.manual_seed(1)
    measured = (output * torch.randn_like(output)).sum()
    return [output.detach(), *torch.autograd.grad(measured, [x, *attention.parameters()])]


@pytest.mark.parametrize("kind", KINDS, ids="-".join)
def test_means_over_layers_in_one_pass_are_those_of_the_rows(kind):
    attention, x = drawn(*kind, dtype=DOUBLE), torch.randn(7, 10, 336, dtype=DOUBLE)
    found = pooled_passes(attention, x)
    with formulas_alone():
        expected = pooled_passes(attention, x)
    assert max(largest(found, expected)) < 1e-12
    torch.testing.assert_close(found[0], attention.head_means(attention(x)[0]), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS, ids="-".join)
def test_gradcheck_of_means_over_layers(kind):
    attention = drawn(*kind, layers=4, heads=1, features=8, dtype=DOUBLE)
    x = torch.randn(2, 4, 8, dtype=DOUBLE, requires_grad=True)
    assert torch.autograd.gradcheck(attention.pooled, (x,))
    assert torch.autograd.gradgradcheck(attention.pooled, (x,))


def test_a_sample_has_the_same_bits_alone_and_in_any_batch():
    attention, x = drawn("shared", "density", "layer"), torch.randn(9, 10, 336)
    assert torch.equal(attention(x)[0][4:5], attention(x[4:5])[0])


@pytest.mark.parametrize("team", [True, False], ids=["torch's threads", "threads of its own"])
def test_the_number_of_threads_changes_no_bit(monkeypatch, team):
    monkeypatch.setattr(cpu, "_WORTH_A_TEAM", 0)
    monkeypatch.setattr(cpu, "_WORTH_A_POOL", 0)
    if not team:
        monkeypatch.setattr(cpu, "_team", lambda: None)
    attention, x, before = (
        drawn("shared", "density", "layer"),
        torch.randn(9, 10, 336),
        torch.get_num_threads(),
    )
    try:
        torch.set_num_threads(1)
        alone = passes(attention, x)
        torch.set_num_threads(4)
        together = passes(attention, x)
    finally:
        torch.set_num_threads(before)
    assert all(map(torch.equal, alone, together))


def test_several_threads_may_call_at_once():
    attention, x = drawn("shared", "density", "layer"), torch.randn(9, 10, 336)
    expected, found = passes(attention, x)[0], []
    callers = [threading.Thread(target=lambda: found.append(passes(attention, x)[0])) for _ in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert len(found) == 4
    assert all(torch.equal(one, expected) for one in found)


def test_an_output_beyond_the_caches_equals_the_formulas():
    attention, x = drawn("shared", "density", "layer", layers=24, features=384), torch.randn(96, 24, 384)
    assert attention.output(x).nbytes > cpu._PAST_CACHES
    with formulas_alone():
        expected = attention.output(x)
    torch.testing.assert_close(attention.output(x), expected, rtol=1e-6, atol=1e-6)


def test_what_is_not_contiguous_is_read_right():
    attention, x = drawn("layer_groups", "density", "layer"), torch.randn(10, 336, 7).permute(2, 0, 1)
    torch.testing.assert_close(passes(attention, x), by_formulas(attention, x), rtol=1e-4, atol=1e-4)


def test_no_more_is_held_than_the_output_and_the_gradients():
    attention = DensityAttention(n_layers=24, n_features=256, n_heads=8)
    x = torch.randn(16, 24, 256, requires_grad=True)
    incoming = torch.randn(16, 8 * 24, 256)
    held = peak_bytes(lambda: attention.output(x).backward(incoming))
    assert incoming.nbytes < held < 1.2 * incoming.nbytes
    assert peak_bytes(lambda: attention.output(x.detach())) < 1.01 * incoming.nbytes


@pytest.mark.parametrize("kind", KINDS[::2], ids="-".join)
def test_what_is_not_finite_is_refused_as_by_the_formulas(kind):
    attention, x = drawn(*kind), torch.randn(3, 10, 336)
    x[1, 2, 300] = torch.nan
    with pytest.raises(ShapeError, match="The input holds NaN, infinity"):
        attention(x)
    x[1, 2, 300] = 1e30
    with pytest.raises(ShapeError, match="whose variance overflows"):
        attention.output(x)


def test_a_parameter_that_is_not_finite_is_refused():
    attention, x = drawn("shared", "density", "none"), torch.randn(3, 10, 336)
    with torch.no_grad():
        attention.log_scaled_variance[1, 7] = torch.nan
    with pytest.raises(ShapeError, match="Every scaled variance must be positive and finite"):
        attention(x)


@pytest.fixture
def no_kernel(monkeypatch):
    """A kernel that is called is a failure."""

    def called(*_):
        raise AssertionError("a kernel was used")

    monkeypatch.setattr(cpu, "forward", called)


@pytest.mark.usefixtures("no_kernel")
class TestTheFormulasRemain:
    def test_for_the_gate_that_people_read(self):
        attention, x = drawn("shared", "density", "layer"), torch.randn(32, 10, 336)
        assert attention.gate(x).shape == (32, 30, 336)

    def test_for_inputs_of_few_cells(self, monkeypatch):
        monkeypatch.undo()
        attention, x = drawn("shared", "density", "layer", features=320, layers=16, heads=4), torch.ones(1)
        assert kernel_for(x.expand(1, 16, 320), attention._heads) is None
        assert kernel_for(x.expand(2, 16, 320), attention._heads) is cpu

    @pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
    def test_for_half_precision(self, dtype):
        attention, x = drawn("shared", "density", "layer"), torch.randn(3, 10, 336)
        assert attention.to(dtype)(x.to(dtype))[0].dtype == dtype

    def test_for_features_that_fill_no_vector(self):
        attention = drawn("shared", "density", "layer", features=330)
        assert attention(torch.randn(3, 10, 330))[0].shape == (3, 30, 330)

    def test_for_a_graph_that_is_compiled_or_exported(self):
        attention, x = drawn("shared", "density", "layer"), torch.randn(3, 10, 336)
        with formulas_alone():
            expected = attention(x)[0]
        compiled = torch.compile(attention, backend="eager", fullgraph=True)
        torch.testing.assert_close(compiled(x)[0], expected)
        torch.testing.assert_close(torch.export.export(attention, (x,)).module()(x)[0], expected)

    def test_for_torch_func_and_forward_derivatives(self):
        attention, x = (
            drawn("shared", "density", "layer", dtype=DOUBLE),
            torch.randn(3, 10, 336, dtype=DOUBLE),
        )
        found = torch.func.grad(lambda values: attention.output(values).sum())(x)
        leaf = x.clone().requires_grad_()
        with formulas_alone():
            (expected,) = torch.autograd.grad(attention.output(leaf).sum(), leaf)
        torch.testing.assert_close(found, expected)
        with torch.autograd.forward_ad.dual_level():
            dual = torch.autograd.forward_ad.make_dual(x, torch.ones_like(x))
            along = torch.autograd.forward_ad.unpack_dual(attention.output(dual)).tangent
        torch.testing.assert_close(along.sum(), expected.sum())

    def test_for_an_input_of_another_precision_than_the_layer(self):
        attention, x = drawn("shared", "density", "layer"), torch.randn(3, 10, 336, dtype=DOUBLE)
        assert attention(x)[0].dtype == DOUBLE


@pytest.fixture
def unprepared(monkeypatch):
    monkeypatch.setattr(cpu, "_started", {})
    monkeypatch.setattr(cpu, "_passes", {})


@pytest.mark.usefixtures("unprepared")
class TestPreparing:
    def test_nothing_waits_for_a_compilation(self, monkeypatch):
        finish, compiled = threading.Event(), cpu._compile

        def slowly(*given):
            finish.wait()
            compiled(*given)

        monkeypatch.setattr(cpu, "_compile", slowly)
        attention, x = drawn("shared", "density", "layer"), torch.randn(3, 10, 336)
        with formulas_alone():
            expected = attention(x)[0]
        assert torch.equal(attention(x)[0], expected)
        assert kernel_for(x, attention._heads) is None
        finish.set()
        assert cpu.prepare(wait=True)
        assert kernel_for(x, attention._heads) is cpu
        torch.testing.assert_close(attention(x)[0], expected)

    def test_without_numba_the_formulas_run(self, monkeypatch):
        monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
        attention, x = drawn("shared", "density", "layer"), torch.randn(3, 10, 336)
        assert cpu.prepare(wait=True) is False
        assert kernel_for(x, attention._heads) is None
        assert attention(x)[0].shape == (3, 30, 336)

    def test_a_numba_that_cannot_compile_is_said_once_and_the_formulas_run(self, monkeypatch):
        from daam_core.kernels import loops

        def broken(kind):
            raise RuntimeError("no such processor\nand more")

        monkeypatch.setattr(loops, "entries", broken)
        with pytest.warns(UserWarning, match="formulas remain: no such processor$"):
            assert cpu.prepare(wait=True) is False
        attention, x = drawn("shared", "density", "layer"), torch.randn(3, 10, 336)
        assert attention(x)[0].shape == (3, 30, 336)

    def test_where_nothing_can_be_kept_they_are_compiled_each_time(self, monkeypatch):
        from daam_core.kernels import loops

        compiled, kept = loops.cfunc, []

        def read_only(signature, **options):
            if options:
                raise RuntimeError("cannot cache function: no locator available")
            kept.append(False)
            return compiled(signature)

        monkeypatch.setattr(loops, "cfunc", read_only)
        assert cpu.prepare(wait=True)
        assert kept == [False, False]

    def test_only_float32_and_float64_have_kernels(self):
        assert cpu.prepare(torch.float16, wait=True) is False


@pytest.mark.skipif(not torch.cuda.is_available(), reason="There is no CUDA device here.")
@pytest.mark.parametrize("features", [330, 512])
@pytest.mark.parametrize("kind", KINDS, ids="-".join)
def test_cuda_equals_the_formulas(kind, features):
    pytest.importorskip("triton", reason="Triton is not installed.")
    attention = drawn(*kind, layers=12, features=features).cuda()
    x = torch.randn(7, 12, features, device="cuda")
    assert kernel_for(x, attention._heads) is not None
    found, plain = passes(attention, x), by_formulas(attention, x)
    exact = by_formulas(attention.double(), x.double())
    for own, theirs in zip(largest(found, exact), largest(plain, exact), strict=True):
        assert own < max(1e-6, 4 * theirs)

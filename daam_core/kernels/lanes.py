"""Vectors of a processor's width as a type of numba's, with which a loop is vectorised for certain.

LLVM vectorises a loop over many arrays only where it can show that none overlap, and no compiler without a
vector library vectorises ``exp``. With these lanes a kernel says itself what is done side by side: 64 bytes
at a time, which LLVM splits where registers are narrower. They exist inside compiled functions only.
"""

import math
import operator
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic, models, overload, register_model

#: What numba and llvmlite hand over; neither says its types.
Llvm = Any
#: Bytes of one vector: a cache line.
LANE_BYTES = 64

#: Bits of the mantissa; a number of 1.5 · 2^bits added and taken off again rounds to whole numbers.
_MANTISSA_BITS = {32: 23, 64: 52}
#: So many halvings of 1 are 0: there are no bits left for a smaller exponent.
_MOST_HALVINGS = {32: 127.0, 64: 1023.0}
#: Degree of the polynomial for 2^f, |f| ≤ ½: what it leaves out is below rounding.
_DEGREE = {32: 6, 64: 13}


def _power_of_two_coefficients(degree: int) -> list[float]:
    """Coefficients of 2^f on [−½, ½], lowest first: interpolated where the error spreads evenly."""
    if degree > 8:  # beyond this the interpolation's own rounding is larger than what is left out
        return [math.log(2) ** k / math.factorial(k) for k in range(degree + 1)]
    return [
        float(c)
        for c in np.polynomial.Chebyshev.interpolate(lambda f: 2.0**f, degree, domain=[-0.5, 0.5])
        .convert(kind=np.polynomial.Polynomial)
        .coef
    ]


class Lanes(types.Type):
    """A vector of as many floats as fill :data:`LANE_BYTES`."""

    def __init__(self, dtype: types.Float) -> None:
        self.dtype = dtype
        self.count = LANE_BYTES * 8 // dtype.bitwidth
        super().__init__(name=f"Lanes({dtype})")


def _vector(lanes: Lanes) -> ir.VectorType:
    return ir.VectorType(ir.FloatType() if lanes.dtype.bitwidth == 32 else ir.DoubleType(), lanes.count)


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, dmm: Llvm, fe_type: Lanes) -> None:
        super().__init__(dmm, fe_type, _vector(fe_type))


def _splat(value: float, vector: ir.VectorType) -> ir.Constant:
    return ir.Constant(vector, [ir.Constant(vector.element, value)] * vector.count)


def _address(context: Llvm, builder: Llvm, array: Llvm, kind: Llvm, index: Llvm, vector: Llvm) -> Llvm:
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), vector.as_pointer())


@intrinsic
def load(typingctx, array, index):
    """``array[index : index + lanes]`` of a contiguous, flat array."""
    lanes = Lanes(array.dtype)

    def codegen(context, builder, signature, arguments):
        place = _address(context, builder, arguments[0], array, arguments[1], _vector(lanes))
        return builder.load(place, align=array.dtype.bitwidth // 8)

    return lanes(array, types.intp), codegen


@intrinsic
def widen(typingctx, array, index, like):
    """:func:`load` of an array that may be in half precision, told as whole numbers of its bits; as a vector
    of ``like``'s kind."""
    lanes = Lanes(like.dtype)

    def codegen(context, builder, signature, arguments):
        vector = _vector(lanes)
        stored = ir.VectorType(ir.HalfType(), lanes.count) if array.dtype == types.uint16 else vector
        place = _address(context, builder, arguments[0], array, arguments[1], stored)
        value = builder.load(place, align=array.dtype.bitwidth // 8)
        return value if stored == vector else builder.fpext(value, vector)

    return lanes(array, types.intp, like), codegen


@intrinsic
def store(typingctx, array, index, value):
    """``array[index : index + lanes] = value``."""

    def codegen(context, builder, signature, arguments):
        place = _address(context, builder, arguments[0], array, arguments[1], _vector(value))
        builder.store(arguments[2], place, align=array.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(array, types.intp, value), codegen


@intrinsic
def stream(typingctx, array, index, value):
    """As :func:`store`, past the caches: for what is not read again soon. The place must begin a line."""

    def codegen(context, builder, signature, arguments):
        place = _address(context, builder, arguments[0], array, arguments[1], _vector(value))
        written = builder.store(arguments[2], place, align=LANE_BYTES)
        written.set_metadata("nontemporal", builder.module.add_metadata([ir.IntType(32)(1)]))
        return context.get_dummy_value()

    return types.void(array, types.intp, value), codegen


@intrinsic
def fetch(typingctx, array, index):
    """Ask for ``array[index]``'s line ahead of its use. An index past the end is let pass."""

    def codegen(context, builder, signature, arguments):
        place = context.make_array(array)(context, builder, arguments[0]).data
        place = builder.bitcast(builder.gep(place, [arguments[1]]), ir.IntType(8).as_pointer())
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [place.type, number, number, number])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        builder.call(function, [place, number(0), number(3), number(1)])
        return context.get_dummy_value()

    return types.void(array, types.intp), codegen


@intrinsic
def lanes_of(typingctx, array):
    """How many of an array's values make one vector."""
    count = Lanes(array.dtype).count

    def codegen(context, builder, signature, arguments):
        return ir.Constant(ir.IntType(64), count)

    return types.int64(array), codegen


@intrinsic
def spread(typingctx, array, number):
    """The same number in every lane, as a vector of an array's kind."""
    lanes = Lanes(array.dtype)

    def codegen(context, builder, signature, arguments):
        vector = _vector(lanes)
        value = context.cast(builder, arguments[1], number, array.dtype)
        one = builder.insert_element(ir.Constant(vector, ir.Undefined), value, ir.IntType(32)(0))
        everywhere = ir.Constant(ir.VectorType(ir.IntType(32), lanes.count), [0] * lanes.count)
        return builder.shuffle_vector(one, ir.Constant(vector, ir.Undefined), everywhere)

    return lanes(array, number), codegen


@intrinsic
def multiply_add(typingctx, a, b, c):
    """``a · b + c``, in one instruction where the processor has it."""

    def codegen(context, builder, signature, arguments):
        return _call(builder, "fmuladd", *arguments)

    return a(a, a, a), codegen


def _call(builder: Llvm, name: str, *values: Llvm) -> Llvm:
    """One of LLVM's own functions on vectors of one kind."""
    vector = values[0].type
    kind = ir.FunctionType(vector, [vector] * len(values))
    full = f"llvm.{name}.v{vector.count}{vector.element.intrinsic_name}"
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, full), values)


@intrinsic
def total(typingctx, a):
    """The sum over lanes, halves upon halves: the same on every processor."""

    def codegen(context, builder, signature, arguments):
        (value,) = arguments
        count = a.count
        while count > 1:
            count //= 2
            first, second = (
                ir.Constant(ir.VectorType(ir.IntType(32), count), list(range(start, start + count)))
                for start in (0, count)
            )
            value = builder.fadd(
                builder.shuffle_vector(value, value, first), builder.shuffle_vector(value, value, second)
            )
        return builder.extract_element(value, ir.IntType(32)(0))

    return a.dtype(a), codegen


@intrinsic
def smaller(typingctx, a, b):
    """The smaller of two numbers, lane by lane."""

    def codegen(context, builder, signature, arguments):
        first, second = arguments
        return builder.select(builder.fcmp_ordered("<", first, second), first, second)

    return a(a, a), codegen


@intrinsic
def root(typingctx, a):
    """The square root, lane by lane."""

    def codegen(context, builder, signature, arguments):
        return _call(builder, "sqrt", *arguments)

    return a(a), codegen


@intrinsic
def half_to_the(typingctx, exponent):
    """2^−exponent for exponents of at least 0, to rounding; 0 below the smallest normal number.

    The exponent is split into a whole number, which moves into the bits of the result's own exponent, and
    a rest in [−½, ½], of which a polynomial is the power.
    """
    bits = exponent.dtype.bitwidth

    def codegen(context, builder, signature, arguments):
        vector, whole_bits = _vector(exponent), _MANTISSA_BITS[bits]
        whole = ir.VectorType(ir.IntType(bits), exponent.count)
        most = _splat(_MOST_HALVINGS[bits], vector)
        (y,) = arguments
        y = builder.select(builder.fcmp_ordered("<", y, most), y, most)
        rounding = _splat(1.5 * 2**whole_bits, vector)
        rounded = builder.fsub(rounding, y)
        rest = builder.fsub(builder.fsub(rounding, rounded), y)
        *lower, power = (_splat(c, vector) for c in _power_of_two_coefficients(_DEGREE[bits]))
        for coefficient in reversed(lower):
            power = _call(builder, "fmuladd", power, rest, coefficient)
        shift = ir.Constant(whole, [whole_bits] * exponent.count)
        moved = builder.shl(builder.bitcast(rounded, whole), shift)
        return builder.bitcast(builder.add(builder.bitcast(power, whole), moved), vector)

    return exponent(exponent), codegen


@intrinsic
def pointer(typingctx, address):
    """What a number points at."""

    def codegen(context, builder, signature, arguments):
        return builder.inttoptr(arguments[0], cgutils.voidptr_t)

    return types.voidptr(address), codegen


@intrinsic
def take(typingctx, array, index, number):
    """Add to an array's whole number, of which other threads do likewise; what it was before."""

    def codegen(context, builder, signature, arguments):
        data = context.make_array(array)(context, builder, arguments[0]).data
        return builder.atomic_rmw("add", builder.gep(data, [arguments[1]]), arguments[2], "monotonic")

    return array.dtype(array, types.intp, array.dtype), codegen


def _lane_by_lane(name: str) -> Llvm:
    @intrinsic
    def operation(typingctx, a, b):
        def codegen(context, builder, signature, arguments):
            return getattr(builder, name)(*arguments)

        return a(a, a), codegen

    return operation


_add, _subtract, _multiply, _divide = (_lane_by_lane(name) for name in ("fadd", "fsub", "fmul", "fdiv"))


def _both(a: object, b: object) -> bool:
    return isinstance(a, Lanes) and a == b


@overload(operator.add)
def _of_add(a, b):
    return (lambda a, b: _add(a, b)) if _both(a, b) else None


@overload(operator.sub)
def _of_sub(a, b):
    return (lambda a, b: _subtract(a, b)) if _both(a, b) else None


@overload(operator.mul)
def _of_mul(a, b):
    return (lambda a, b: _multiply(a, b)) if _both(a, b) else None


@overload(operator.truediv)
def _of_truediv(a, b):
    return (lambda a, b: _divide(a, b)) if _both(a, b) else None

/* DaamView: what is computed from the arrays. Each function has its twin in daam_core.reading.quantities. */
(function (D) {
  'use strict';

  /** Indices of the `count` largest entries (by size where `absolute`), largest first; NaN left out. */
  D.top = function (data, count, absolute) {
    const best = [];
    let least = -Infinity;
    for (let i = 0; i < data.length; i += 1) {
      const score = absolute ? Math.abs(data[i]) : data[i];
      if (Number.isNaN(score) || (best.length === count && score <= least)) continue;
      let place = best.length;
      while (place > 0 && best[place - 1][0] < score) place -= 1;
      best.splice(place, 0, [score, i]);
      if (best.length > count) best.pop();
      least = best[best.length - 1][0];
    }
    return best.map((entry) => entry[1]);
  };

  /** Mean offset and variance of the one Gaussian that a product of K Gaussians amounts to. */
  D.effectiveGaussian = function (offsets, scales) {
    let precision = 0;
    let weighted = 0;
    offsets.forEach((offset, k) => {
      precision += 1 / (scales[k] * scales[k]);
      weighted += offset / (scales[k] * scales[k]);
    });
    return { mean: weighted / precision, variance: 1 / precision };
  };

  const ROOT_FLOOR = 1e-5; // under the root of the standard deviation (Algorithm 1)

  /**
   * A head's Gaussian at one feature, given mean and variance over the head's layers:
   * gate(x) = peak · exp(−(x − centre)² / (2 spread²)).
   * For a mixture, `values` [L·F] give what normalising over layers leaves as peak.
   */
  D.gaussian = function (model, head, feature, statistics, values) {
    const offset = model.array('mean_offset');
    const spread = model.array('scaled_variance');
    if (model.raw.gate_kind !== 'mixture') {
      const at = head * model.F + feature;
      return {
        centre: statistics.mean + offset[at],
        spread: Math.sqrt(spread[at] * (statistics.variance + ROOT_FLOOR)),
        peak: 1,
      };
    }
    const k = model.arrays.mean_offset.shape[1];
    const one = D.effectiveGaussian(
      Array.from(offset.subarray(head * k, (head + 1) * k)),
      Array.from(spread.subarray(head * k, (head + 1) * k)),
    );
    const centre = statistics.mean + one.mean;
    const width = Math.sqrt(one.variance * statistics.variance);
    // A head's gates sum to 1 over its layers; the sum is taken in log space.
    const exponents = D.range(model.L)
      .filter((l) => model.seen(head, l))
      .map((l) => ((values[l * model.F + feature] - centre) / width) ** 2 / 2);
    const least = Math.min(...exponents);
    const sum = exponents.reduce((total, e) => total + Math.exp(least - e), 0);
    return { centre: centre, spread: width, peak: Math.exp(Math.min(700, least - Math.log(sum))) };
  };
})((window.DaamView = window.DaamView || {}));

/** One forecast and its observation. All in °C. */
export interface Outcome {
  /** Forecast minus outcome. */
  error: number;
  /** Half of its 90 % interval. */
  halfWidth: number;
  persistenceError: number;
  naiveError: number;
  /** Mean absolute error of the seasonal naive forecast over the 30 days before it was made: the unit of MASE. */
  scale: number;
}

/** Scores of the forecasts of one lead, each a mean over all of them. */
export interface LeadScores {
  n: number;
  /** Mean absolute error, °C. */
  mae: number;
  /** Root mean squared error, °C. */
  rmse: number;
  /** Mean error, °C: above 0 too warm. */
  bias: number;
  /** Mean absolute scaled error (Hyndman & Koehler, Int. J. Forecasting 22, 2006): below 1 better than seasonal naive. */
  mase: number;
  persistence: number;
  naive: number;
  /** Share of the outcomes that lay in the interval. */
  coverage: number;
  /** Of the interval, °C. */
  width: number;
  /** Pinball loss of the interval's two ends, the 5 % and 95 % quantiles, °C (Gneiting & Raftery, JASA 102, 2007). */
  pinball: number;
}

/** The quantiles that the ends of a 90 % interval stand for. */
const QUANTILES = [0.05, 0.95] as const;

/** Sums up outcomes. */
export class ScoreSum {
  readonly #sums: LeadScores = {
    n: 0,
    mae: 0,
    rmse: 0,
    bias: 0,
    mase: 0,
    persistence: 0,
    naive: 0,
    coverage: 0,
    width: 0,
    pinball: 0,
  };

  add({ error, halfWidth, persistenceError, naiveError, scale }: Outcome): void {
    const sums = this.#sums;
    const size = Math.abs(error);
    sums.n++;
    sums.mae += size;
    sums.rmse += error * error;
    sums.bias += error;
    sums.mase += size / scale;
    sums.persistence += Math.abs(persistenceError);
    sums.naive += Math.abs(naiveError);
    if (size <= halfWidth) sums.coverage++;
    sums.width += 2 * halfWidth;
    // Outcome minus quantile, for the lower and the upper end.
    sums.pinball +=
      (pinball(QUANTILES[0], halfWidth - error) + pinball(QUANTILES[1], -halfWidth - error)) / 2;
  }

  /** The outcomes of another sum too. */
  merge(other: ScoreSum): void {
    for (const name of Object.keys(this.#sums) as (keyof LeadScores)[]) this.#sums[name] += other.#sums[name];
  }

  get scores(): LeadScores {
    const sums = this.#sums;
    const mean = (name: keyof LeadScores) => sums[name] / sums.n;
    return {
      n: sums.n,
      mae: mean("mae"),
      rmse: Math.sqrt(mean("rmse")),
      bias: mean("bias"),
      mase: mean("mase"),
      persistence: mean("persistence"),
      naive: mean("naive"),
      coverage: mean("coverage"),
      width: mean("width"),
      pinball: mean("pinball"),
    };
  }
}

/** @param difference outcome minus the quantile's forecast */
function pinball(quantile: number, difference: number): number {
  return difference >= 0 ? quantile * difference : (quantile - 1) * difference;
}

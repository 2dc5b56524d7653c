/** Ridge term, as a share of each pivot: there is a solution even if two columns are collinear. */
const RIDGE = 1e-8;
/** Lower bound of a pivot: a column that was always 0 gets the coefficient 0. */
const PIVOT_MIN = 1e-6;

/**
 * Weighted least squares over a stream of rows with exponential forgetting: β = (XᵀWX + λ)⁻¹ XᵀWy, with weights that
 * {@link decay} reduces. It keeps only the normal equations, p × p numbers, so its memory does not grow with the stream.
 *
 * Solved by Cholesky's decomposition (Golub & Van Loan, Matrix Computations, 4.2).
 */
export class DecayingLeastSquares {
  readonly #size: number;
  /** Lower triangle of XᵀWX, row by row. */
  readonly #products: Float64Array;
  readonly #moments: Float64Array;
  readonly #factor: Float64Array;
  #weight = 0;

  /** @param size columns of a row */
  constructor(size: number) {
    this.#size = size;
    this.#products = new Float64Array(size * size);
    this.#moments = new Float64Array(size);
    this.#factor = new Float64Array(size * size);
  }

  /** Sum of the weights of all rows so far. A new row has weight 1. */
  get weight(): number {
    return this.#weight;
  }

  /** Multiplies the weight of every row so far by `share`. @param share 0 to 1 */
  decay(share: number): void {
    const size = this.#size;
    const products = this.#products;
    const moments = this.#moments;
    this.#weight *= share;
    for (let i = 0; i < size; i++) {
      moments[i]! *= share;
      for (let j = i * size, end = j + i; j <= end; j++) products[j]! *= share;
    }
  }

  /** Adds a row with weight 1. @param x one finite number for each column */
  add(x: Float64Array, y: number): void {
    const size = this.#size;
    const products = this.#products;
    const moments = this.#moments;
    this.#weight += 1;
    for (let i = 0; i < size; i++) {
      const value = x[i]!;
      moments[i]! += value * y;
      for (let j = 0, at = i * size; j <= i; j++, at++) products[at]! += value * x[j]!;
    }
  }

  /** Writes the coefficients, one for each column. They are always finite. */
  solve(into: Float64Array): void {
    const size = this.#size;
    const products = this.#products;
    const factor = this.#factor;
    for (let i = 0; i < size; i++) {
      const row = i * size;
      let moment = this.#moments[i]!;
      for (let j = 0; j <= i; j++) {
        const other = j * size;
        let sum = products[row + j]!;
        for (let k = 0; k < j; k++) sum -= factor[row + k]! * factor[other + k]!;
        if (j < i) {
          sum /= factor[other + j]!;
          factor[row + j] = sum;
          moment -= sum * into[j]!;
        } else {
          sum += RIDGE * products[row + i]!;
          factor[row + i] = Math.sqrt(Math.max(sum, PIVOT_MIN));
        }
      }
      into[i] = moment / factor[row + i]!;
    }
    for (let i = size - 1; i >= 0; i--) {
      let sum = into[i]!;
      for (let k = i + 1; k < size; k++) sum -= factor[k * size + i]! * into[k]!;
      into[i] = sum / factor[i * size + i]!;
    }
  }
}

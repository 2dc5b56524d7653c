/** What a data set can hold. */
export const DATASET_KINDS = ["observed", "simulated", "replayed"] as const;

/** What a data set holds: simulated data never mixes with observed data. */
export type DatasetKind = (typeof DATASET_KINDS)[number];

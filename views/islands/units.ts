import { readUnits, type Scales, scalesOf } from "../units.ts";

/** How this page shows numbers: the server has written the reader's choice on it. */
export const SCALES: Scales = scalesOf(readUnits(document.documentElement.dataset.units));

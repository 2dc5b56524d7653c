import { readUnits, type Scales, scalesOf } from "../units.ts";

/** The units of this page, as the server has written the reader's choice into it. */
export const SCALES: Scales = scalesOf(readUnits(document.documentElement.dataset.units));

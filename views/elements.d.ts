/// <reference types="@kitajs/html/htmx.d.ts" />

declare namespace JSX {
  interface IntrinsicElements {
    /** A place for a part of the page that comes later. */
    "stream-slot": HtmlTag & { name: string };
    /** The temperature chart, live. */
    "iso-chart": HtmlTag;
    /** Holds elements that show a city's newest observation, and keeps them new. */
    "iso-cities": HtmlTag;
    /** Holds charts of a stretch of time that can be zoomed; `data-latest` is the end of what there is, ms. */
    "iso-zoom": HtmlTag & { "data-from": number; "data-to": number; "data-latest": number };
    /** Shows whether the page is connected. */
    "iso-live": HtmlTag;
  }
}

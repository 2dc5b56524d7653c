/// <reference types="@kitajs/html/htmx.d.ts" />

declare namespace JSX {
  interface IntrinsicElements {
    /** A place for a part of the page that comes later. */
    "stream-slot": HtmlTag & { name: string };
    /** The temperature chart, live. */
    "iso-chart": HtmlTag;
    /** Holds elements that show a city's newest observation, and keeps them new. */
    "iso-cities": HtmlTag;
    /** Shows whether the page is connected. */
    "iso-live": HtmlTag;
  }
}

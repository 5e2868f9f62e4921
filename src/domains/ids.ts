// RunCloud's numeric ids, as people and PHP write them.

/** Up to 15 digits: what a number of JavaScript represents exactly. */
export const ID_PATTERN = /^[1-9]\d{0,14}$/;

/** The id in a text such as `1903`; undefined if there is none. */
export const parseId = (text: string | undefined): number | undefined =>
  text !== undefined && ID_PATTERN.test(text) ? Number(text) : undefined;

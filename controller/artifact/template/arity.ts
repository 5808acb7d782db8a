/** The functions that a template may call, with the number of arguments that each accepts. */
export const ARITY: Readonly<Record<string, { min: number; max: number }>> = {
  and: { min: 1, max: Infinity },
  call: { min: 1, max: Infinity },
  eq: { min: 1, max: Infinity },
  ge: { min: 2, max: 2 },
  gt: { min: 2, max: 2 },
  html: { min: 0, max: Infinity },
  index: { min: 1, max: Infinity },
  js: { min: 0, max: Infinity },
  le: { min: 2, max: 2 },
  len: { min: 1, max: 1 },
  lt: { min: 2, max: 2 },
  ne: { min: 2, max: 2 },
  not: { min: 1, max: 1 },
  or: { min: 1, max: Infinity },
  print: { min: 0, max: Infinity },
  printf: { min: 1, max: Infinity },
  println: { min: 0, max: Infinity },
  slice: { min: 1, max: Infinity },
  urlquery: { min: 0, max: Infinity },
};

export const isFunction = (name: string): boolean => Object.hasOwn(ARITY, name);

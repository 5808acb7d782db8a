/** Functions a template may call, with how many arguments each takes. */
export const ARITY: Readonly<Record<string, { least: number; most: number }>> = {
  and: { least: 1, most: Infinity },
  call: { least: 1, most: Infinity },
  eq: { least: 1, most: Infinity },
  ge: { least: 2, most: 2 },
  gt: { least: 2, most: 2 },
  html: { least: 0, most: Infinity },
  index: { least: 1, most: Infinity },
  js: { least: 0, most: Infinity },
  le: { least: 2, most: 2 },
  len: { least: 1, most: 1 },
  lt: { least: 2, most: 2 },
  ne: { least: 2, most: 2 },
  not: { least: 1, most: 1 },
  or: { least: 1, most: Infinity },
  print: { least: 0, most: Infinity },
  printf: { least: 1, most: Infinity },
  println: { least: 0, most: Infinity },
  slice: { least: 1, most: Infinity },
  urlquery: { least: 0, most: Infinity },
};

export const isFunction = (name: string): boolean => Object.hasOwn(ARITY, name);

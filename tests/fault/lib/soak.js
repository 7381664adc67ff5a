/* The short form of a test and the long one: FAULT_SOAK=1, which `make soak` sets, asks for the long one. */
export const isSoak = Boolean(process.env.FAULT_SOAK);

/* How many, or how long. */
export const sized = (short, long) => isSoak ? long : short;

/* The time that so large a share of a list of times does not exceed; the list is sorted by it. */
export const percentile = (list, share) => list.sort((a, b) => a - b)[Math.floor(list.length * share)];
export const p99 = (list) => percentile(list, 0.99);

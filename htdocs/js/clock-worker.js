// clock-worker: rings after a time, also for a hidden tab. In: {id, ms}; ms below 0 takes it back. Out: id.
const timers = new Map();

onmessage = ({ data: { id, ms } }) => {
  clearTimeout(timers.get(id));
  timers.delete(id);
  if (ms < 0) return;
  timers.set(id, setTimeout(() => {
    timers.delete(id);
    postMessage(id);
  }, ms));
};

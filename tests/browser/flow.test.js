/* The way of the patent in a real browser through stock nginx. */
import { flow } from '../lib/flow.js';

flow();

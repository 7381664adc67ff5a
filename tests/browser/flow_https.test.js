/* The way of the patent in a real browser through https and HTTP/2, nginx. */
import { flow } from '../lib/flow.js';

flow({ tls: true });

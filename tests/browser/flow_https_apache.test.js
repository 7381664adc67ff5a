/* The way of the patent in a real browser through https and HTTP/2, Apache. */
import { flow } from '../lib/flow.js';

flow({ web: 'apache', tls: true });

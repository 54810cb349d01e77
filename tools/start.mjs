// `npm start`: the set-up, then `molva start`, in one process, so that signals reach the core. Not `prestart`:
// npm runs no script before another where install scripts are forbidden (.npmrc).
import './setup.mjs';

process.argv.splice(2, 0, 'start');
await import('./molva.mjs');

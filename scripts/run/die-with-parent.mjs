// Preloaded into programs that the runner starts: asks them to end when the runner itself is gone.
// Must cost nothing and keep nothing alive.
const parent = process.ppid;
const timer = setInterval(() => {
  if (process.ppid === parent) return;
  clearInterval(timer);
  process.kill(process.pid, 'SIGTERM');
}, 1000);
timer.unref();

/** Runs what was deployed: a new workerd for each new set of Workers; the old one drains and ends once the new listens. */

import { startWorkerd } from "./child.mjs";
import { workerdConfig } from "./config.mjs";
import { keepLine } from "./workerlog.mjs";

/** What runs behind an answer (`waitUntil`) may take as long as Cloudflare gives it. */
const LINGER_MS = 2_000;
const DRAIN_MS = 60_000;
const RESTART_MS = 500;

/**
 * @param {{runFolder: string, edgeSocket: string, logs: object}} options
 * @returns {{apply: (state: object) => Promise<boolean>, lease: (worker: string) => Lease | null, leaseCron: () => Lease | null, stop: () => Promise<void>}}
 *   `lease` picks a version by its share; whoever has a lease calls `release` when the exchange has ended
 * @typedef {{socketPath: string, release: () => void}} Lease
 */
export function makeRunner({ runFolder, edgeSocket, logs }) {
  const running = new Set();
  let current = null;
  let generation = 0;
  let applied = null;
  let good = null;
  let stopping = false;
  let queue = Promise.resolve(true);

  /** True when the state's Workers run; false when workerd refused them, and what ran before goes on. */
  function apply(state) {
    queue = queue.then(() => stopping || swap(state));
    return queue;
  }

  async function swap(state) {
    const wanted = fingerprint(state.workers);
    if (current && wanted === applied) return true;
    generation += 1;
    try {
      const next = await launch(state.workers);
      const former = current;
      current = next;
      applied = wanted;
      good = state;
      logs.event("running", { revision: state.revision, workers: [...next.shares.keys()] });
      if (former) drain(former);
      return true;
    } catch (error) {
      logs.event("the new state can't run; the former one goes on", { revision: state.revision, error: error.message });
      console.error(`edge: revision ${state.revision} can't run, the former one goes on: ${error.message}`);
      return false;
    }
  }

  async function launch(workers) {
    const { text, shares, cronSocket } = workerdConfig(workers, { folder: runFolder, edgeSocket, generation });
    const sockets = [...shares.values()].flat().map((share) => share.socketPath);
    const started = await startWorkerd({
      file: `${runFolder}/w${generation}.capnp`,
      text,
      sockets: [...sockets, cronSocket],
      probe: cronSocket,
      onLine: (line) => keepLine(logs, line),
    });
    const made = { ...started, shares, cronSocket, leases: 0, onIdle: () => {} };
    running.add(made);
    started.exited.then(() => {
      running.delete(made);
      if (current === made) restart();
    });
    return made;
  }

  /** workerd itself died: what was deployed must not stay down until the next deployment. */
  function restart() {
    logs.event("workerd ended by itself and is started anew");
    current = null;
    setTimeout(() => apply(good), RESTART_MS).unref();
  }

  async function drain(former) {
    const deadline = Date.now() + DRAIN_MS;
    await new Promise((resolve) => setTimeout(resolve, LINGER_MS).unref());
    while (former.leases > 0 && Date.now() < deadline) {
      await new Promise((resolve) => {
        former.onIdle = resolve;
        setTimeout(resolve, 1000).unref();
      });
    }
    await former.end();
  }

  function leaseOf(instance, socketPath) {
    instance.leases += 1;
    let held = true;
    const release = () => {
      if (!held) return;
      held = false;
      instance.leases -= 1;
      if (instance.leases === 0) instance.onIdle();
    };
    return { socketPath, release };
  }

  return {
    apply,
    lease(worker) {
      const shares = current?.shares.get(worker);
      return shares ? leaseOf(current, pick(shares).socketPath) : null;
    },
    leaseCron: () => (current ? leaseOf(current, current.cronSocket) : null),
    async stop() {
      stopping = true;
      await queue;
      current = null;
      await Promise.all([...running].map((instance) => instance.end()));
    },
  };
}

/** What decides whether workerd must start anew: everything of the Workers but their triggers. */
function fingerprint(workers) {
  return JSON.stringify(workers.flatMap(({ name, versions }) => (versions.length ? [[name, versions]] : [])));
}

/** A version by its share of requests. */
function pick(shares) {
  let point = Math.random() * shares.reduce((sum, share) => sum + share.percentage, 0);
  return (
    shares.find((share) => {
      point -= share.percentage;
      return point < 0;
    }) ?? shares[0]
  );
}

/** Follows the account's state at the local API by long polling; keeps the last good document. */

const RETRY_MS = 300;

/**
 * Calls `onState` with each new state document, one at a time, until `stop` is called.
 * @param {{api: string, token: string, onState: (state: object) => Promise<void>, onError: (error: Error) => void}} options
 * @returns {{stop: () => void}}
 */
export function followState({ api, token, onState, onError }) {
  let state = null;
  let complaint = null;
  const halt = new AbortController();
  const headers = { authorization: `Bearer ${token}` };

  const poll = async () => {
    const response = await fetch(`${api}/_local/state?after=${state?.revision ?? 0}`, {
      headers,
      signal: AbortSignal.any([halt.signal, AbortSignal.timeout(40_000)]),
    });
    if (response.status === 304) return;
    if (!response.ok) throw new Error(`the local API answered ${response.status}`);
    state = await response.json();
    await onState(state);
  };
  const loop = async () => {
    while (!halt.signal.aborted) {
      try {
        await poll();
        complaint = null;
      } catch (error) {
        if (halt.signal.aborted) return;
        // Said once, not three times a second.
        if (error.message !== complaint) onError(error);
        complaint = error.message;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  };
  loop();
  return { stop: () => halt.abort() };
}

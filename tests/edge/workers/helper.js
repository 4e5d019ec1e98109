import { WorkerEntrypoint } from "cloudflare:workers";

export class Named extends WorkerEntrypoint {
  hello(name) {
    return `hello ${name}`;
  }
}

export default class extends WorkerEntrypoint {
  sum({ left, right }) {
    return left + right;
  }

  fetch() {
    return new Response("from helper");
  }
}

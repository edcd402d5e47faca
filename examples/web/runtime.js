// LiteRT.js, with its WASM kernels for the CPU: no GPU, no threads, so that the page runs in every
// browser and needs no special headers.

import { Environment, Tensor, loadAndCompile, loadLiteRt } from "./litert/index.js";

// The build without relaxed SIMD: browsers that lack it (Safari) run it too, numbers are the same
// in all of them, and it was no slower.
const WASM = new URL("./litert/litert_wasm_compat_internal.js", import.meta.url).href;
const RUNS = 20;

// LiteRT looks for a GPU when it is loaded, and warns where there is none. Nothing here uses it.
const createEnvironment = Environment.create.bind(Environment);
Environment.create = () => createEnvironment({ webGpuDevice: null });

let runtime = null;

function loadRuntime() {
  if (!runtime) {
    // It reports its progress as errors; only what is one stays so.
    const printErr = (line) => console[/^(ERROR|FATAL)/.test(line) ? "error" : "debug"](line);
    self.Module = { printErr };
    runtime = loadLiteRt(WASM).catch((error) => {
      runtime = null; // The next try begins anew.
      throw new Error(`LiteRT's WASM runtime could not be loaded: ${messageOf(error)}`);
    });
  }
  return runtime;
}

/** One `.tflite` file, ready to run, with the times of its last runs. */
class Network {
  #times = [];
  #isWarm = false;

  constructor(model) {
    this.model = model;
    const details = model.getInputDetails().map(({ name, shape }) => [name, [...shape].slice(1)]);
    /** Of one example: `{name: shape}`, and the shape of what is made of it. */
    this.inputShapes = Object.fromEntries(details);
    this.outputShape = [...model.getOutputDetails()[0].shape].slice(1);
  }

  /**
   * Runs one example.
   * @param {Object<string, ArrayLike<number>>} values of the inputs by name: latents and labels,
   *   or images; of the sizes of `inputShapes`, as LiteRT.js can't give a file others.
   * @returns {Promise<Float32Array>} the picture, H x W x C numbers in [-1, 1]
   */
  async run(values) {
    const inputs = {};
    let outputs = {};
    try {
      for (const { name, dtype, shape } of this.model.getInputDetails()) {
        const array = dtype === "int32" ? Int32Array.from(values[name]) : values[name];
        inputs[name] = new Tensor(array, [...shape]);
      }
      const start = performance.now();
      outputs = await this.model.run(inputs);
      const time = performance.now() - start;
      // The first run sets things up, and takes many times as long as all that follow.
      if (this.#isWarm) this.#times = [...this.#times.slice(1 - RUNS), time];
      this.#isWarm = true;
      return Object.values(outputs)[0].toTypedArray();
    } finally {
      // WASM's memory has no garbage collector.
      for (const tensor of [...Object.values(inputs), ...Object.values(outputs)]) tensor.delete();
    }
  }

  /** Median time of the last runs in milliseconds, of the inference alone; at first undefined. */
  get milliseconds() {
    const sorted = [...this.#times].sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)];
  }
}

const networks = new Map();

/** The `Network` in a file; each file is fetched once. */
export async function openNetwork(url) {
  if (!networks.has(url)) {
    await loadRuntime();
    const response = await fetch(url);
    if (!response.ok) throw new Error(`${url}: the server answered ${response.status}.`);
    const bytes = new Uint8Array(await response.arrayBuffer());
    let network = null;
    try {
      network = new Network(await loadAndCompile(bytes, { accelerator: "wasm" }));
    } catch (error) {
      throw new Error(`${url} is no model that LiteRT can run: ${messageOf(error)}`);
    }
    if ([...Object.values(network.inputShapes), network.outputShape].flat().some((n) => n < 0)) {
      throw new Error(`${url} is of no one size, and LiteRT.js can't give it one.`);
    }
    networks.set(url, network);
  }
  return networks.get(url);
}

export const messageOf = (error) => error?.message ?? error?.type ?? String(error);

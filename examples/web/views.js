// What a model makes, for a person: one for each `view` of a kind in keras_gans.
//
// A view is made for the output of a port, as its card describes it, `view(kind, entry)`, and returns
//   element      what stands on the easel
//   canvas       the picture in it, where there is one
//   show(values) shows what the network made
//   stop()       ends what moves

import { makeCanvas, paint } from "./pictures.js";

const FRAME = 120; // milliseconds, as in GIFs of keras_gans
const SIDE = 240; // pixels of plots
const KEPT = 200; // points that stay
const PIANO_ROLL = 12; // features from which a sequence is a map of them
const COLOURS = ["#b93a0a", "#1f6f8b", "#5b7f2b", "#7b4fa3", "#a07a10", "#3b3b3b"];

function picture(kind, entry) {
  const canvas = makeCanvas(kind.shape, entry.model);
  return { element: canvas, canvas, show: (values) => paint(canvas, values, kind.shape) };
}

function mask(kind, entry) {
  const own = picture(kind, entry);
  return { ...own, show: (values) => own.show(values.map((value) => 2 * value - 1)) };
}

/** Frame after frame, again and again. */
function frames(kind, entry) {
  const [num, ...shape] = kind.shape;
  const canvas = makeCanvas(shape, entry.model);
  let [film, at, timer] = [null, 0, null];
  const step = () => {
    const size = film.length / num;
    paint(canvas, film.subarray(at * size, (at + 1) * size), shape);
    at = (at + 1) % num;
  };
  function show(values) {
    film = values;
    step();
    timer ??= setInterval(step, FRAME);
  }
  return { element: canvas, canvas, show, stop: () => clearInterval(timer) };
}

function plot(entry, height, width) {
  const canvas = makeCanvas([height, width], entry.model);
  const context = canvas.getContext("2d");
  const clear = () => {
    context.fillStyle = "white";
    context.fillRect(0, 0, width, height);
  };
  return { canvas, context, clear };
}

/** The points so far; the last one stands out. */
function points(kind, entry) {
  const { canvas, context, clear } = plot(entry, SIDE, SIDE);
  const all = [];
  function show([x, y = 0]) {
    all.push([x, y]);
    all.splice(0, all.length - KEPT);
    const limit = 1.15 * Math.max(1, ...all.flat().map(Math.abs));
    clear();
    all.forEach(([across, up], i) => {
      const isLast = i === all.length - 1;
      const place = [(1 + across / limit) * (SIDE / 2), (1 - up / limit) * (SIDE / 2)];
      context.fillStyle = isLast ? COLOURS[0] : "#999";
      context.beginPath();
      context.arc(...place, isLast ? 5 : 2, 0, 2 * Math.PI);
      context.fill();
    });
  }
  return { element: canvas, canvas, show };
}

/** Few features are lines over time; many are a map, the first one at the bottom. */
function curves(kind, entry) {
  const [steps, features] = kind.shape;
  const { canvas, context, clear } = plot(entry, 160, SIDE);
  if (features >= PIANO_ROLL) {
    const shape = [features, steps, 1];
    const map = makeCanvas(shape, entry.model);
    const show = (values) => {
      const [low, high] = [Math.min(...values), Math.max(...values)];
      const level = (t, f) => (2 * (values[t * features + f] - low)) / (high - low || 1) - 1;
      const cell = (_, i) => level(i % steps, features - 1 - Math.floor(i / steps));
      paint(map, Float32Array.from({ length: values.length }, cell), shape);
    };
    return { element: map, canvas: map, show };
  }
  function show(values) {
    const [low, high] = [Math.min(...values), Math.max(...values)];
    clear();
    for (let feature = 0; feature < features; feature++) {
      context.strokeStyle = COLOURS[feature % COLOURS.length];
      context.beginPath();
      for (let t = 0; t < steps; t++) {
        const up = (values[t * features + feature] - low) / (high - low || 1);
        context.lineTo((t / Math.max(1, steps - 1)) * SIDE, 155 - 150 * up);
      }
      context.stroke();
    }
  }
  return { element: canvas, canvas, show };
}

/** One of several views in words. */
function said(say) {
  return (kind, entry) => {
    const element = document.createElement("output");
    element.className = "said";
    return { element, show: (values) => (element.textContent = say([...values], kind, entry)) };
  };
}

const choice = said(([label], _, entry) => entry.class_names[label] ?? `class ${label}`);
const numbers = said((values) => {
  const first = values.slice(0, 6).map((value) => value.toFixed(2)).join(", ");
  return values.length > 6 ? `${values.length} numbers: ${first}, …` : first;
});
const words = said((ids, kind) => {
  if (kind.vocabulary === null) return ids.map((value) => value.toFixed(2)).join(" ");
  return ids.filter((id) => id !== kind.padding).map((id) => kind.words[id] ?? id).join(" ");
});

export const VIEWS = { picture, mask, frames, points, curves, choice, numbers, words };

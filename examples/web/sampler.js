// Models that make pictures out of latents: a seed, a class, a walk, a way from A to B, a sheet.
//
// Where several ports make a picture of the same latents, such as a pair's two, all are shown; the
// small pictures are the first one's.

import {
  classFromText,
  classToText,
  inTurn,
  numberFrom,
  player,
  radios,
  randomSeed,
  slider,
} from "./controls.js";
import { MAX_SEED, between, directions, drawLatents, parseSeed, walk } from "./latents.js";
import { makeCanvas, paint } from "./pictures.js";

const MAP = 5; // pictures on a side of the map
const SHEETS = [4, 5, 6, 8, 10];

export async function samplerView(entry, networks, page) {
  const { latents: prior, latent_dim: size, sample_shape: shape } = entry;
  const { find } = page;
  const ports = Object.keys(networks);
  const axes = directions(size);
  const classes = entry.num_classes
    ? Array.from({ length: entry.num_classes }, (_, i) => entry.class_names[i] ?? String(i))
    : [];
  const state = { seed: "0", to: "1", t: 0, x: 0, y: 0, label: 0, sheet: "0", across: 5 };

  const make = (latents, port = ports[0]) =>
    networks[port].run({ latents, labels: [state.label] });
  const latentsOf = (seed) => drawLatents(prior, seed, size);
  const middle = () => between(prior, latentsOf(state.seed), latentsOf(state.to), state.t);

  page.fill("controls", "sampler-controls");
  page.fill("sheet", "sampler-sheet");
  const canvases = ports.map((port) => makeCanvas(entry.ports[port].output.shape, entry.model));
  const figures = canvases.map((canvas, i) => {
    const figure = document.createElement("figure");
    const caption = Object.assign(document.createElement("figcaption"), { textContent: ports[i] });
    figure.append(canvas, ...(ports.length > 1 ? [caption] : []));
    return figure;
  });

  // The picture

  async function draw() {
    const latents = walk(prior, middle(), axes, state.x, state.y);
    const pictures = [];
    for (const port of ports) pictures.push(await make(latents, port));
    pictures.forEach((values, i) => paint(canvases[i], values, entry.ports[ports[i]].output.shape));
  }

  /** What follows from the state; `map`, `ends` and `sheet` say what else is to be made anew. */
  function update({ map = true, ends = false, sheet = false } = {}) {
    setSlider.x(state.x);
    setSlider.y(state.y);
    setSlider.t(state.t);
    for (const id of ["seed", "to"]) {
      find(id).value = state[id];
      find(id).removeAttribute("aria-invalid");
    }
    const [left, top] = [state.x, state.y].map((place) => `${50 + 50 * place}%`);
    Object.assign(find("dot").style, { left, top });
    for (const cell of cells) {
      cell.setAttribute("aria-current", cell.dataset.seed === state.seed);
    }
    page.refresh();
    if (map) page.whenQuiet("map", drawMap);
    if (ends) page.whenQuiet("ends", drawEnds);
    if (sheet) makeSheet();
  }

  function changeSeed(seed, { sheet = false } = {}) {
    Object.assign(state, { seed: String(seed), x: 0, y: 0, t: 0 });
    if (sheet) state.sheet = state.seed;
    ways.stop();
    update({ ends: true, sheet });
  }

  function changeTo(seed) {
    state.to = String(seed);
    update({ map: state.t > 0, ends: true });
  }

  // Seeds

  const seedInputs = { seed: (seed) => changeSeed(seed, { sheet: true }), to: changeTo };
  for (const [id, change] of Object.entries(seedInputs)) {
    const input = find(id);
    input.addEventListener("change", () => {
      try {
        change(parseSeed(input.value));
      } catch (error) {
        input.setAttribute("aria-invalid", "true");
        page.fail(error);
      }
    });
  }
  const step = (by) => {
    const seed = BigInt(state.seed) + by;
    if (seed >= 0n && seed <= MAX_SEED) changeSeed(seed);
  };
  find("previous").addEventListener("click", () => step(-1n));
  find("next").addEventListener("click", () => step(1n));
  find("roll-to").addEventListener("click", () => changeTo(randomSeed()));

  // Classes

  find("classes").hidden = !classes.length;
  const [legend, chips] = find("classes").children;
  if (!entry.class_names.length) legend.textContent = "Category that the model found";
  const chip = (i) => Object.assign(document.createElement("span"), { textContent: classes[i] });
  const setClass = radios(chips, "class", classes, chip, (label) => {
    state.label = label;
    update({ ends: true, sheet: true });
  });

  // The walk, on sliders and on a map

  const changeXY = (x, y) => {
    Object.assign(state, { x, y });
    update({ map: false });
  };
  const ways = player(page, () => state.t, changeT);
  const setSlider = {
    x: slider(page, "x", (x) => changeXY(x, state.y)),
    y: slider(page, "y", (y) => changeXY(state.x, y)),
    t: slider(page, "t", (t) => (ways.stop(), changeT(t))),
  };
  function changeT(t) {
    state.t = t;
    update();
  }
  find("recentre").addEventListener("click", () => changeXY(0, 0));

  const pad = find("pad");
  const map = makeCanvas([shape[0] * MAP, shape[1] * MAP]);
  pad.prepend(map);
  pad.addEventListener("pointerdown", (event) => {
    pad.setPointerCapture(event.pointerId);
    follow(event);
  });
  pad.addEventListener("pointermove", (event) => {
    if (pad.hasPointerCapture(event.pointerId)) follow(event);
  });
  function follow({ clientX, clientY }) {
    const { left, top, width, height } = pad.getBoundingClientRect();
    const places = [(2 * (clientX - left)) / width - 1, (2 * (clientY - top)) / height - 1];
    changeXY(...places.map((place) => Math.min(1, Math.max(-1, place))));
  }

  function drawMap(isStale) {
    const centre = middle();
    const jobs = Array.from({ length: MAP * MAP }, (_, i) => async () => {
      const [row, column] = [Math.floor(i / MAP), i % MAP];
      const [x, y] = [column, row].map((n) => (2 * n + 1) / MAP - 1);
      const values = await make(walk(prior, centre, axes, x, y));
      if (!isStale()) paint(map, values, shape, column * shape[1], row * shape[0]);
    });
    return inTurn(jobs, isStale);
  }

  // A and B

  const ends = ["a", "b"].map((end) => {
    const small = makeCanvas(shape);
    find(`end-${end}`).prepend(small);
    return small;
  });
  async function drawEnds(isStale) {
    for (const [i, seed] of [state.seed, state.to].entries()) {
      const values = await make(latentsOf(seed));
      if (!isStale()) paint(ends[i], values, shape);
    }
  }

  // The contact sheet: its seeds follow one after the other, and each picture can be chosen

  let cells = [];
  const across = find("across");
  across.append(...SHEETS.map((n) => new Option(`${n} × ${n}`, n)));
  across.addEventListener("change", () => {
    state.across = Number(across.value);
    makeSheet();
  });
  find("new-sheet").addEventListener("click", () => {
    state.sheet = randomSeed();
    makeSheet();
  });

  function makeSheet() {
    const first = BigInt(state.sheet);
    const seeds = Array.from({ length: state.across ** 2 }, (_, i) => first + BigInt(i));
    // Buttons that are there already keep the focus, and their picture until the new one comes.
    cells = seeds.filter((seed) => seed <= MAX_SEED).map((seed, i) => cells[i] ?? makeCell());
    cells.forEach((cell, i) => {
      cell.dataset.seed = String(seeds[i]);
      cell.setAttribute("aria-label", `Seed ${seeds[i]}`);
      cell.title = cell.getAttribute("aria-label");
      cell.setAttribute("aria-current", cell.dataset.seed === state.seed);
    });
    const sheet = find("sheet").querySelector(".sheet");
    sheet.style.setProperty("--across", state.across);
    sheet.replaceChildren(...cells);
    across.value = state.across;
    sheet.ariaBusy = true;
    page.whenQuiet("sheet", async (isStale) => {
      const jobs = cells.map((cell, i) => async () => {
        const values = await make(latentsOf(seeds[i]));
        if (!isStale()) paint(cell.firstElementChild, values, shape);
      });
      await inTurn(jobs, isStale);
      if (!isStale()) sheet.ariaBusy = false;
    });
  }

  function makeCell() {
    const cell = document.createElement("button");
    cell.append(makeCanvas(shape));
    cell.addEventListener("click", () => {
      changeSeed(cell.dataset.seed);
      canvases[0].scrollIntoView({ block: "nearest" });
    });
    return cell;
  }

  // For the page

  const moved = () => state.x !== 0 || state.y !== 0 || state.t !== 0;
  return {
    figures,
    canvases,
    draw,
    roll: () => changeSeed(randomSeed(), { sheet: true }),
    play: () => ways.toggle(),
    stop: () => ways.stop(),
    get milliseconds() {
      const times = Object.values(networks).map((each) => each.milliseconds);
      return times.includes(undefined) ? undefined : times.reduce((a, b) => a + b);
    },
    describe() {
      const facts = [`seed ${state.seed}`, classes[state.label], moved() && "moved from there"];
      return facts.filter(Boolean).join(", ");
    },
    name() {
      const label = classes.length ? `-class-${state.label}` : "";
      return `${entry.name}-seed-${state.seed}${label}${moved() ? "-moved" : ""}.png`;
    },
    python() {
      if (moved()) return "";
      const labels = classes.length ? `, labels=${state.label}` : "";
      return `keras_gans.load("${entry.name}").generate(1, seed=${state.seed}${labels})`;
    },
    parameters: () => ({
      seed: state.seed,
      ...(classes.length && { class: classToText(state.label, entry.class_names) }),
      ...(moved() && { to: state.to, ...rounded({ t: state.t, x: state.x, y: state.y }) }),
    }),
    restore(given) {
      const seed = String(parseSeed(given.seed ?? "0"));
      const to = String(parseSeed(given.to ?? (BigInt(seed) + 1n) % (MAX_SEED + 1n)));
      const label = classFromText(given.class, entry.class_names, classes.length);
      const t = numberFrom(given.t, 0, 1, 0);
      const [x, y] = [given.x, given.y].map((place) => numberFrom(place, -1, 1, 0));
      Object.assign(state, { seed, to, t, x, y, label, sheet: seed });
      ways.stop();
      setClass(state.label);
      update({ ends: true, sheet: true });
    },
  };
}

function rounded(values) {
  const pairs = Object.entries(values).map(([name, value]) => [name, Number(value.toFixed(4))]);
  return Object.fromEntries(pairs);
}

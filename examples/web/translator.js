// Models that make pictures out of pictures: a direction, an input, a second one to blend with.

import { inTurn, numberFrom, player, radios, slider } from "./controls.js";
import { fetchPicture, makeCanvas, paint, readPicture, toValues } from "./pictures.js";

export async function translatorView(entry, networks, page) {
  const { find } = page;
  const shape = entry.sample_shape;
  const names = Object.keys(networks);
  const state = { direction: 0, input: 0, other: 1, t: 0, brightness: 0, contrast: 0, own: null };
  const side = () => names[state.direction].split("_to_")[0];

  page.fill("controls", "translator-controls");
  page.fill("sheet", "translator-sheet");
  const input = makeCanvas(shape, "Input");
  const output = makeCanvas(shape, entry.model);
  const figures = [input, output].map((canvas) => {
    const figure = document.createElement("figure");
    figure.append(canvas, document.createElement("figcaption"));
    return figure;
  });
  const arrow = document.createElement("span");
  Object.assign(arrow, { className: "arrow", textContent: "→", ariaHidden: "true" });

  const load = async (url) => toValues(await fetchPicture(url), shape);
  const inputs = {};
  for (const [name, urls] of Object.entries(entry.inputs)) {
    inputs[name] = await Promise.all(urls.map(load));
  }

  // The picture

  const first = () => state.own ?? inputs[side()][state.input];

  /** The input as the controls are: A and B blended, then contrast and brightness. */
  function given() {
    const second = inputs[side()][state.other];
    return first().map((value, i) => {
      const blended = (1 - state.t) * value + state.t * second[i];
      const lit = blended * 2 ** state.contrast + state.brightness;
      return Math.min(1, Math.max(-1, lit));
    });
  }

  async function draw() {
    const values = given();
    const made = await networks[names[state.direction]].run({ images: values });
    paint(input, values, shape);
    paint(output, made, shape);
  }

  const update = () => {
    for (const name of ["t", "brightness", "contrast"]) setSlider[name](state[name]);
    setInput(state.own ? -1 : state.input);
    setOther(state.other);
    for (const cell of cells) {
      cell.setAttribute("aria-current", !state.own && Number(cell.dataset.index) === state.input);
    }
    page.refresh();
  };

  // Controls

  const title = (direction) => direction.split("_to_").map((name) => entry.sides[name]);
  const chip = (i) => {
    const [from, to] = title(names[i]);
    return Object.assign(document.createElement("span"), { textContent: `${from} → ${to}` });
  };
  const labels = names.map((name) => title(name).join(" to "));
  const setDirection = radios(find("directions"), "direction", labels, chip, (direction) => {
    Object.assign(state, { direction, own: null });
    listInputs();
    update();
  });
  const ways = player(page, () => state.t, (t) => change("t", t));
  const setSlider = {
    t: slider(page, "t", (t) => (ways.stop(), change("t", t))),
    brightness: slider(page, "brightness", (value) => change("brightness", value)),
    contrast: slider(page, "contrast", (value) => change("contrast", value)),
  };
  function change(name, value) {
    state[name] = value;
    update();
  }
  find("reset-light").addEventListener("click", () => {
    Object.assign(state, { brightness: 0, contrast: 0 });
    update();
  });

  async function takeFile(file) {
    if (!file) return;
    try {
      Object.assign(state, { own: toValues(await readPicture(file), shape), t: 0 });
      update();
    } catch (error) {
      page.fail(error);
    }
  }
  find("file").addEventListener("change", (event) => {
    takeFile(event.target.files[0]);
    event.target.value = ""; // The same file may be taken again.
  });
  const easel = find("easel");
  const drop = new AbortController();
  const onDrag = (type, handle) => {
    const listen = (event) => {
      event.preventDefault();
      easel.classList.toggle("dropping", type === "dragover");
      handle?.(event);
    };
    easel.addEventListener(type, listen, { signal: drop.signal });
  };
  onDrag("dragover");
  onDrag("dragleave");
  onDrag("drop", (event) => takeFile(event.dataTransfer.files[0]));

  // The inputs of a direction, twice as controls and once beside what becomes of them

  let [cells, setInput, setOther] = [[], () => {}, () => {}];

  function listInputs() {
    const pictures = inputs[side()];
    const [from, to] = title(names[state.direction]);
    const labels = pictures.map((_, i) => `${from} ${i + 1}`);
    const thumbnail = (i) => painted(pictures[i], shape);
    for (const id of ["inputs-a", "inputs-b"]) find(id).replaceChildren();
    setInput = radios(find("inputs-a"), "input", labels, thumbnail, (i) => {
      Object.assign(state, { input: i, own: null, t: 0 });
      ways.stop();
      update();
    });
    setOther = radios(find("inputs-b"), "other", labels, thumbnail, (i) => change("other", i));
    figures.forEach(({ lastElementChild: caption }, i) => (caption.textContent = [from, to][i]));
    setDirection(state.direction);

    const network = networks[names[state.direction]];
    cells = pictures.map((values, i) => {
      const cell = document.createElement("button");
      cell.dataset.index = i;
      cell.setAttribute("aria-label", `${labels[i]} as ${to}`);
      cell.append(painted(values, shape), makeCanvas(shape));
      cell.addEventListener("click", () => {
        Object.assign(state, { input: i, own: null, t: 0 });
        update();
      });
      return cell;
    });
    const sheet = find("sheet").querySelector(".sheet");
    sheet.classList.add("pairs");
    sheet.replaceChildren(...cells);
    sheet.ariaBusy = true;
    page.whenQuiet("sheet", async (isStale) => {
      const jobs = pictures.map((images, i) => async () => {
        const made = await network.run({ images });
        if (!isStale()) paint(cells[i].lastElementChild, made, shape);
      });
      await inTurn(jobs, isStale);
      if (!isStale()) sheet.ariaBusy = false;
    });
  }

  // For the page

  return {
    figures: [figures[0], arrow, figures[1]],
    canvases: [input, output],
    draw,
    roll() {
      const others = inputs[side()].map((_, i) => i).filter((i) => state.own || i !== state.input);
      const chosen = others[Math.floor(Math.random() * others.length)] ?? 0;
      Object.assign(state, { input: chosen, own: null, t: 0 });
      ways.stop();
      update();
    },
    play: () => ways.toggle(),
    stop() {
      ways.stop();
      drop.abort();
    },
    get milliseconds() {
      return networks[names[state.direction]].milliseconds;
    },
    describe() {
      const picture = state.own ? "your picture" : `picture ${state.input + 1}`;
      return `${title(names[state.direction]).join(" to ")}, ${picture}`;
    },
    name: () => `${entry.name}-${names[state.direction]}-${state.own ? "own" : state.input}.png`,
    python() {
      const to = names[state.direction].split("_to_")[1];
      return `keras_gans.load("${entry.name}").translate(pictures, to="${to}")`;
    },
    parameters: () => ({
      direction: names[state.direction],
      input: state.input,
      ...(state.t && { other: state.other, t: Number(state.t.toFixed(4)) }),
    }),
    restore(parameters) {
      const direction = Math.max(0, names.indexOf(parameters.direction));
      Object.assign(state, { direction, own: null, brightness: 0, contrast: 0 });
      const last = inputs[side()].length - 1;
      state.input = Math.floor(numberFrom(parameters.input, 0, last, 0));
      const next = (state.input + 1) % (last + 1);
      state.other = Math.floor(numberFrom(parameters.other, 0, last, next));
      state.t = numberFrom(parameters.t, 0, 1, 0);
      ways.stop();
      listInputs();
      update();
    },
  };
}

function painted(values, shape) {
  const canvas = makeCanvas(shape);
  paint(canvas, values, shape);
  return canvas;
}

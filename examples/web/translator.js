// Models that make pictures out of pictures: a direction where there are several, an input, a pen,
// a second input to blend with.
//
// A direction is a port (`entry.directions`). What it takes and makes may differ in size and in
// channels; both are the sizes of its file, which the runtime can't change.

import { inTurn, numberFrom, player, radios, slider } from "./controls.js";
import { fetchPicture, makeCanvas, paint, readPicture, toValues } from "./pictures.js";

const UNLIT = { t: 0, brightness: 0, contrast: 0 }; // the input as it is

export async function translatorView(entry, networks, page) {
  const { find } = page;
  const names = Object.keys(entry.directions);
  const state = { direction: 0, input: 0, other: 1, own: null, ...UNLIT };
  const name = () => names[state.direction];
  const side = () => entry.directions[name()].inputs;
  const title = ({ from, to }) => [from ?? "Input", to ?? "Output"];
  const kindOf = (direction) => entry.ports[direction].inputs[0];
  const inputShape = (direction) => networks[direction].inputShapes[kindOf(direction).name];
  const shapes = () => [inputShape(name()), networks[name()].outputShape];
  const run = (values) => networks[name()].run({ [kindOf(name()).name]: values });

  page.fill("controls", "translator-controls");
  page.fill("sheet", "translator-sheet");
  const input = makeCanvas(shapes()[0], "Input");
  const output = makeCanvas(shapes()[1], entry.model);
  input.className = "drawable";
  const figures = [input, output].map((canvas) => {
    const figure = document.createElement("figure");
    figure.append(canvas, document.createElement("figcaption"));
    return figure;
  });
  const arrow = document.createElement("span");
  Object.assign(arrow, { className: "arrow", textContent: "→", ariaHidden: "true" });

  const inputs = {};
  for (const direction of names) {
    const shape = inputShape(direction);
    const load = async (url) => toValues(await fetchPicture(url), shape);
    const { inputs: key } = entry.directions[direction];
    inputs[key] ??= await Promise.all(entry.inputs[key].map(load));
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
    const [values, direction] = [given(), state.direction];
    const made = await run(values);
    if (direction !== state.direction) return; // The picture may have another size now.
    [values, made].forEach((picture, i) => show([input, output][i], picture, shapes()[i]));
  }

  /** Paints a picture on a canvas of the page, which gets its size. */
  function show(canvas, values, shape) {
    const [height, width] = shape;
    if (canvas.width !== width || canvas.height !== height) {
      Object.assign(canvas, { width, height });
      page.place();
    }
    paint(canvas, values, shape);
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

  const called = (direction, between) => {
    const told = entry.directions[direction];
    return told.from ? title(told).join(between) : direction;
  };
  const chip = (i) =>
    Object.assign(document.createElement("span"), { textContent: called(names[i], " → ") });
  const labels = names.map((direction) => called(direction, " to "));
  const setDirection = radios(find("directions"), "direction", labels, chip, (direction) => {
    Object.assign(state, { direction, own: null });
    listInputs();
    update();
  });
  find("direction-card").hidden = names.length === 1;
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
      const picture = await readPicture(file);
      Object.assign(state, { own: toValues(picture, shapes()[0]), t: 0 });
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

  // The pen, on a copy of the input

  const sketch = makeCanvas(shapes()[0]).getContext("2d", { willReadFrequently: true });
  const setPen = slider(page, "pen", () => {}, (pixels) => `${pixels} px`);

  /** Has `job` draw on the input as it is shown, which becomes the user's own. */
  function drawOn(job) {
    const [height, width] = shapes()[0];
    Object.assign(sketch.canvas, { width, height });
    paint(sketch.canvas, given(), shapes()[0]);
    sketch.fillStyle = sketch.strokeStyle = find("ink").value;
    job(sketch, width, height);
    ways.stop();
    Object.assign(state, { own: toValues(sketch.canvas, shapes()[0]), ...UNLIT });
    update();
  }

  let last = null; // where the pen was
  function stroke({ clientX, clientY }) {
    const box = input.getBoundingClientRect();
    const across = ((clientX - box.left) / box.width) * input.width;
    const down = ((clientY - box.top) / box.height) * input.height;
    const from = last ?? [across, down];
    last = [across, down];
    drawOn((context) => {
      context.lineWidth = Number(find("pen").value);
      context.lineCap = "round";
      context.beginPath();
      context.moveTo(...from);
      context.lineTo(...last);
      context.stroke();
      context.beginPath(); // a dot where the pen has not moved, of which there is no line
      context.arc(...last, context.lineWidth / 2, 0, 2 * Math.PI);
      context.fill();
    });
  }
  input.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    input.setPointerCapture(event.pointerId);
    last = null;
    stroke(event);
  });
  input.addEventListener("pointermove", (event) => {
    if (input.hasPointerCapture(event.pointerId)) stroke(event);
  });
  find("fill").addEventListener("click", () =>
    drawOn((context, width, height) => context.fillRect(0, 0, width, height)),
  );

  /** Makes the pen ready for the inputs of a direction, so that it shows on them. */
  function setUpPen() {
    const [values, [height, width]] = [first(), shapes()[0]];
    const isDark = values.reduce((sum, value) => sum + value, 0) < 0;
    find("ink").value = isDark ? "#ffffff" : "#000000";
    const shorter = Math.min(height, width);
    find("pen").max = Math.max(2, Math.round(shorter / 4));
    setPen(Math.max(1, Math.round(shorter / 28)));
  }

  // The inputs of a direction, twice as controls and once beside what becomes of them

  let [cells, setInput, setOther] = [[], () => {}, () => {}];

  function listInputs() {
    const pictures = inputs[side()];
    const [from, to] = title(entry.directions[name()]);
    const [shape, made] = shapes();
    for (const one of ["input", "other"]) state[one] = Math.min(state[one], pictures.length - 1);
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
    find("file-note").textContent = noteOn(kindOf(name()).shape, shape);
    setUpPen();

    cells = pictures.map((values, i) => {
      const cell = document.createElement("button");
      cell.dataset.index = i;
      cell.setAttribute("aria-label", `${labels[i]} as ${to}`);
      cell.append(painted(values, shape), makeCanvas(made));
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
      const jobs = pictures.map((values, i) => async () => {
        const translated = await run(values);
        if (!isStale()) paint(cells[i].lastElementChild, translated, made);
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
      return networks[name()].milliseconds;
    },
    describe() {
      const picture = state.own ? "your picture" : `picture ${state.input + 1}`;
      return `${labels[state.direction]}, ${picture}`;
    },
    name: () => `${entry.name}-${name()}-${state.own ? "own" : state.input}.png`,
    python() {
      const [, to] = name().match(/^[ab]_to_([ab])$/) ?? [];
      const more = to ? `, to="${to}"` : "";
      const call = to || name() === "translate" ? "translate(" : `ask("${name()}", `;
      return `keras_gans.load("${entry.name}").${call}pictures${more})`;
    },
    parameters: () => ({
      ...(names.length > 1 && { direction: name() }),
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

/** What becomes of a user's picture, by the shape that the card has and that of the file. */
function noteOn(told, [height, width]) {
  const size = `${width} × ${height} pixels`;
  const what = `cropped and resized to ${size}`;
  return told.includes(null)
    ? "The model takes pictures of any size, but a file for the browser has one: " +
        `yours is ${what}. It stays in this browser.`
    : `It is ${what}, and stays in this browser.`;
}

function painted(values, shape) {
  const canvas = makeCanvas(shape);
  paint(canvas, values, shape);
  return canvas;
}

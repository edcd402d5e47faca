// Any model: a control for each input of the port that is asked, and a view of what it makes.
//
// Where one port makes what another takes, and the other gives back what the first took, both can be
// asked in turn: a picture is encoded and decoded.

import { radios } from "./controls.js";
import { CONTROLS } from "./inputs.js";
import { VIEWS } from "./views.js";

const isSame = (a, b) => a.kind === b.kind && String(a.shape) === String(b.shape);

/** What can be asked, `{name: [ports in turn]}`. */
export function questions(ports) {
  const names = Object.keys(ports);
  const found = Object.fromEntries(names.map((name) => [name, [name]]));
  for (const first of names) {
    const { inputs, output } = ports[first];
    // What makes samples out of samples and back has two directions, and is no encoder.
    if (inputs.length > 1 || output.view !== "numbers") continue;
    const isBack = (back) =>
      back.inputs.length === 1 && isSame(back.inputs[0], output) && isSame(back.output, inputs[0]);
    const second = names.findLast((name) => isBack(ports[name])); // `decode`, before `generate`
    if (second) found[`${first} → ${second}`] = [first, second];
  }
  return found;
}

export async function askerView(entry, networks, page) {
  const { find } = page;
  const asked = questions(entry.ports);
  const names = Object.keys(asked);
  let [name, controls, shownInputs, output, figures] = [names[0], {}, [], null, []];

  const chips = document.createElement("fieldset");
  chips.className = "card";
  chips.innerHTML = '<legend>What is asked</legend><div class="chips wide"></div>';
  const content = (i) => Object.assign(document.createElement("span"), { textContent: names[i] });
  const setName = radios(chips.lastElementChild, "port", names, content, (i) => {
    ask(names[i]);
    page.place();
    changed();
  });

  const portsAsked = () => asked[name].map((port) => entry.ports[port]);
  const changed = () => {
    for (const control of Object.values(controls)) control.refresh?.();
    page.refresh();
  };

  /** The picture among the inputs, which is what others are drawn over. */
  function picture() {
    const kind = portsAsked()[0].inputs.find(({ control }) => control === "picture");
    return kind && controls[kind.name]?.value();
  }

  function partOf(parts, wanted, kind) {
    const part = parts[wanted];
    if (!part) throw new Error(`This page knows no “${wanted}”, which “${kind.name}” needs.`);
    return part;
  }

  function figure(caption, element) {
    const made = document.createElement("figure");
    const words = Object.assign(document.createElement("figcaption"), { textContent: caption });
    made.append(element, words);
    return made;
  }

  function ask(chosen, given = {}) {
    output?.stop?.();
    name = chosen;
    setName(names.indexOf(name));
    const [first, last] = [portsAsked()[0], portsAsked().at(-1)];
    const context = { entry, page, changed, picture };
    controls = {};
    for (const kind of first.inputs) {
      controls[kind.name] = partOf(CONTROLS, kind.control, kind)(kind, context);
    }
    for (const [key, control] of Object.entries(controls)) control.set(given[key]);
    // Pictures that go in stand beside what comes out.
    const given_ = first.inputs.filter(({ control }) => control === "picture");
    shownInputs = given_.map((kind) => [kind, VIEWS.picture(kind, entry)]);
    output = partOf(VIEWS, last.output.view, last.output)(last.output, entry);
    const parts = shownInputs.map(([kind, view]) => figure(kind.name, view.element));
    const arrow = document.createElement("span");
    Object.assign(arrow, { className: "arrow", textContent: "→", ariaHidden: "true" });
    const made = figure(last.output.noun, output.element);
    figures = parts.length ? [...parts, arrow, made] : [made];
    const cards = Object.values(controls).map(({ element }) => element);
    find("controls").replaceChildren(...(names.length > 1 ? [chips] : []), ...cards);
  }

  async function draw() {
    let [values, asking] = [null, name];
    for (const port of asked[name]) {
      const { inputs } = entry.ports[port];
      const given = inputs.map((kind) => [kind.name, values ?? controls[kind.name].value()]);
      values = await networks[port].run(Object.fromEntries(given));
      if (asking !== name) return;
    }
    for (const [kind, view] of shownInputs) view.show(controls[kind.name].value());
    output.show(values);
  }

  const kept = () => {
    const pairs = Object.entries(controls).map(([key, control]) => [key, control.get()]);
    return Object.fromEntries(pairs.filter(([, text]) => text !== undefined));
  };
  ask(name);
  return {
    get figures() {
      return figures;
    },
    get canvases() {
      return [...shownInputs.map(([, { canvas }]) => canvas), output.canvas].filter(Boolean);
    },
    draw,
    roll() {
      for (const control of Object.values(controls)) control.roll?.();
    },
    play() {},
    stop: () => output.stop?.(),
    get milliseconds() {
      const times = asked[name].map((port) => networks[port].milliseconds);
      return times.some((time) => time === undefined) ? undefined : times.reduce((a, b) => a + b);
    },
    describe: () => `${name}, ${Object.values(kept()).join(", ")}`,
    name: () => `${[entry.name, ...asked[name], ...Object.values(kept())].join("-")}.png`,
    python() {
      const call = (inner, port) => `.ask("${port}", ${inner})`;
      const [first] = asked[name];
      const taken = entry.ports[first].inputs.map((kind) => kind.name).join(", ");
      const whole = asked[name].reduce((inner, port) => `gan${call(inner, port)}`, taken);
      return `gan = keras_gans.load("${entry.name}"); ${whole}`;
    },
    parameters: () => ({ ...(names.length > 1 && { port: name }), ...kept() }),
    restore(given) {
      ask(names.includes(given.port) ? given.port : names[0], given);
      page.place();
      changed();
    },
  };
}

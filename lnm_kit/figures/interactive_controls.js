/* Controls and tables of the linked figures: what a moved slider changes. The numbers come from
   the figure's own data; here they are only looked up, divided, and shown. */
(function () {
  "use strict";
  function element(tag, className, text) {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  function slider(bar, label, range, show, onChange) {
    const box = element("label", "lnm-control");
    const input = element("input");
    const output = element("output");
    Object.assign(input, { type: "range", min: range[0], max: range[1], step: range[2] });
    /* a measured value may lie between two stops of the slider; exact keeps it as it is */
    input.set = (value) => {
      input.value = value;
      input.exact = value;
      output.textContent = show(value);
      input.setAttribute("aria-valuetext", output.textContent);
    };
    input.addEventListener("input", () => { input.set(Number(input.value)); onChange(); });
    box.append(element("span", "", label), input, output);
    bar.append(box);
    return input;
  }

  function choice(bar, label, names, onChange) {
    const box = element("label", "lnm-control");
    const select = element("select");
    names.forEach((name) => select.append(element("option", "", name)));
    select.addEventListener("change", onChange);
    box.append(element("span", "", label), select);
    bar.append(box);
    return select;
  }

  function table(caption, head, rows) {
    const made = element("table");
    made.append(element("caption", "", caption));
    [head, ...rows].forEach((row, at) => {
      const line = element("tr");
      row.forEach((cell, place) => {
        const isHead = at === 0 || (place === 0 && head[0] === "");
        const box = element(isHead ? "th" : "td", "", cell);
        if (isHead) box.scope = at === 0 ? "col" : "row";
        line.append(box);
      });
      made.append(line);
    });
    return made;
  }

  const percent = (share) => (100 * share).toFixed(1) + " %";
  const confusion = (caption, tp, fp, fn, tn) => table(caption, ["", "called positive", "called negative"], [
    ["positive", `TP ${tp}`, `FN ${fn}`],
    ["negative", `FP ${fp}`, `TN ${tn}`],
  ]);

  const LINKED = {
    /* Traces: one ROC curve for each model, then point, chosen point, positives, negatives. */
    roc(data, plot, bar, result) {
      const names = data.models.map((model) => model.name);
      const at = names.map((_, i) => i);
      const first = names.length;
      const model = () => data.models[select.selectedIndex];
      const select = choice(bar, "Model", names, () => { restart(); });
      const threshold = slider(bar, "Threshold", [0, 1, 1], (k) => model().shown[k], () => update());
      function restart() {
        threshold.max = model().threshold.length - 1;
        threshold.set(model().start);
        const chosen = model().chosen;
        Plotly.restyle(plot, { opacity: at.map((i) => (i === select.selectedIndex ? 1 : 0.5)) }, at);
        Plotly.restyle(plot, {
          x: [chosen === null ? [] : [model().fp[chosen] / data.n_negative], model().middle, model().middle],
          y: [chosen === null ? [] : [model().tp[chosen] / data.n_positive], model().positive,
            model().negative.map((count) => -count)],
          width: [null, model().width, model().width],
        }, [first + 1, first + 2, first + 3]);
        Plotly.relayout(plot, { "xaxis2.range": model().range, "yaxis2.range": model().count_range,
          "yaxis2.tickvals": model().ticks, "yaxis2.ticktext": model().ticks.map(Math.abs) });
        update();
      }
      function update() {
        const k = threshold.exact;
        const [tp, fp] = [model().tp[k], model().fp[k]];
        const [fn, tn] = [data.n_positive - tp, data.n_negative - fp];
        Plotly.restyle(plot, { x: [[fp / data.n_negative]], y: [[tp / data.n_positive]] }, [first]);
        const cut = model().threshold[k];
        Plotly.relayout(plot, { "shapes[0].x0": cut, "shapes[0].x1": cut });
        const note = k === model().chosen ? ", the threshold chosen before" : "";
        result.replaceChildren(
          confusion(`${model().name} at ${model().shown[k]}${note}`, tp, fp, fn, tn),
          table("Of the curve at this point", ["sensitivity", "specificity"], [
            [percent(tp / data.n_positive), percent(tn / data.n_negative)]]));
      }
      return restart;
    },

    /* Traces: bands of PPV and NPV (two each), the two curves, the two points. */
    prevalence(data, plot, bar, result) {
      const inputs = ["sensitivity", "specificity", "prevalence"].map((name) =>
        slider(bar, name[0].toUpperCase() + name.slice(1), data.ranges[name], percent, () => update()));
      const reset = element("button", "", "As measured");
      reset.type = "button";
      reset.addEventListener("click", start);
      bar.append(reset);
      const ppv = (se, sp, p) => (se * p) / (se * p + (1 - sp) * (1 - p));
      const npv = (se, sp, p) => (sp * (1 - p)) / (sp * (1 - p) + (1 - se) * p);
      function start() {
        inputs.forEach((input, i) => input.set(data.start[i]));
        update();
      }
      function update() {
        const [se, sp, p] = inputs.map((input) => input.exact);
        const measured = se === data.start[0] && sp === data.start[1];
        const curve = [ppv, npv].map((value) => data.grid.map((q) => value(se, sp, q)));
        const point = [ppv(se, sp, p), npv(se, sp, p)];
        Plotly.restyle(plot, { visible: measured }, [0, 1, 2, 3]);
        Plotly.restyle(plot, {
          x: [data.grid, data.grid, [p], [p]],
          y: [curve[0], curve[1], [point[0]], [point[1]]],
        }, [4, 5, 6, 7]);
        const ill = Math.round(data.patients * p);
        const well = data.patients - ill;
        const [tp, tn] = [Math.round(ill * se), Math.round(well * sp)];
        const patients = data.patients.toLocaleString("en-US");
        result.replaceChildren(
          confusion(`Expected among ${patients} patients`, tp, well - tn, ill - tp, tn),
          table("At this prevalence", ["PPV", "NPV"], [point.map(percent)]));
      }
      return start;
    },
  };

  window.lnmFigures = { LINKED, element };
})();

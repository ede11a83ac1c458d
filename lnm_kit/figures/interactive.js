/* Puts the interactive figure in the place of its static twin. Plotly is loaded from beside this
   file, only on pages with such a figure, and only when one comes near the window. */
(function () {
  "use strict";
  const PLOTLY = document.currentScript.src.replace(/[^/]*$/, "plotly.min.js");
  const NARROW_PX = 560;
  const { LINKED, element } = window.lnmFigures;
  const CONFIG = { displaylogo: false, displayModeBar: false, responsive: true, plotlyServerURL: "" };
  let loading = null;

  function loadPlotly() {
    if (window.Plotly) return Promise.resolve();
    loading = loading || new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = PLOTLY;
      script.onload = resolve;
      script.onerror = reject;
      document.head.append(script);
    });
    return loading;
  }

  /* The page's own colors, for every axis of the plot. */
  function theme(plot) {
    const layout = plot._fullLayout;
    const style = getComputedStyle(document.documentElement);
    const color = (name, other) => style.getPropertyValue(name).trim() || other;
    const ground = color("--pst-color-background", "#ffffff");
    const text = color("--pst-color-text-base", "#222222");
    const line = color("--pst-color-border", "#cccccc");
    const patch = { paper_bgcolor: ground, plot_bgcolor: ground, "font.color": text,
      "font.family": getComputedStyle(plot).fontFamily };
    for (const key of Object.keys(layout).filter((name) => /^[xy]axis\d*$/.test(name))) {
      patch[key + ".gridcolor"] = line;
      patch[key + ".zerolinecolor"] = line;
      patch[key + ".linecolor"] = text;
    }
    (layout.shapes || []).forEach((shape, at) => {
      if (shape.name === "ink") patch[`shapes[${at}].line.color`] = text;
    });
    return patch;
  }

  async function show(box) {
    const data = JSON.parse(box.querySelector("script[type='application/json']").textContent);
    await loadPlotly();
    const stage = element("div", "lnm-stage");
    const bar = element("div", "lnm-bar");
    const plot = element("div", "lnm-plot");
    const result = element("div", "lnm-result");
    const toggle = element("button", "lnm-toggle", "Static picture");
    toggle.type = "button";
    plot.setAttribute("role", "img");
    plot.setAttribute("aria-label", data.alt);
    result.setAttribute("aria-live", "polite");
    stage.append(bar, plot, result);
    box.prepend(toggle);
    box.append(stage);
    box.classList.add("lnm-live");
    const layout = data.figure.layout;
    const wide = {};
    await Plotly.newPlot(plot, data.figure.data, layout, CONFIG);
    for (const key of Object.keys(data.narrow)) {
      wide[key] = key.split(".").reduce((node, part) => (node || {})[part], plot.layout);
      if (Array.isArray(wide[key])) wide[key] = [...wide[key]];
    }
    let isNarrow = false;
    const fit = () => {
      const now = box.clientWidth < NARROW_PX;
      if (now !== isNarrow) Plotly.relayout(plot, now ? { ...data.narrow } : { ...wide });
      isNarrow = now;
    };
    const repaint = () => Plotly.relayout(plot, theme(plot));
    await repaint();
    fit();
    if (data.linked) LINKED[data.linked.kind](data.linked, plot, bar, result)();
    new ResizeObserver(fit).observe(box);
    new MutationObserver(repaint).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    toggle.addEventListener("click", () => {
      const live = box.classList.toggle("lnm-live");
      toggle.textContent = live ? "Static picture" : "Interactive figure";
      if (live) Plotly.Plots.resize(plot);
    });
  }

  function begin() {
    const near = new IntersectionObserver((entries) => {
      for (const entry of entries.filter((each) => each.isIntersecting)) {
        near.unobserve(entry.target);
        show(entry.target).catch((error) => {
          console.error(error);
          entry.target.classList.remove("lnm-live");
        });
      }
    }, { rootMargin: "800px" });
    document.querySelectorAll(".lnm-interactive").forEach((box) => near.observe(box));
  }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
  else begin();
})();

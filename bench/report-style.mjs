// How the report looks, by day and by night. Four colours that stay apart for the colour-blind (Okabe and Ito).
export const STYLE = `
:root { color-scheme: light dark; --ground: #f6f7f9; --card: #fff; --ink: #1c2330; --soft: #667085; --rule: #e3e7ee; --warn: #9a5b00; --warn-ground: #fff3dc; --bad: #c0392b; --c0: #0072b2; --c1: #d55e00; --c2: #009e73; --c3: #cc79a7; }
@media (prefers-color-scheme: dark) { :root { --ground: #12161d; --card: #1a202a; --ink: #e4e8ef; --soft: #95a0b3; --rule: #2c3543; --warn: #ffc766; --warn-ground: #3a2d12; --bad: #ff7b6b; --c0: #56b4e9; --c1: #f0883e; --c2: #2fc79a; --c3: #e3a0c8; } }
* { box-sizing: border-box; }
html { scroll-behavior: smooth; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 32px 20px 64px; }
header { display: flex; flex-wrap: wrap; align-items: baseline; gap: 6px 18px; margin-bottom: 20px; }
h1 { font-size: 28px; letter-spacing: -.02em; margin: 0; } h1 span { font-weight: 300; }
h2 { font-size: 20px; margin: 40px 0 12px; letter-spacing: -.01em; }
h2::first-letter { text-transform: uppercase; }
h3 { font-size: 15px; margin: 0 0 10px; }
.commit { font: 13px ui-monospace, "DejaVu Sans Mono", monospace; color: var(--soft); margin: 0; }
nav { display: flex; flex-wrap: wrap; gap: 4px; margin-left: auto; }
nav a { color: var(--soft); text-decoration: none; padding: 3px 10px; border-radius: 99px; border: 1px solid var(--rule); font-size: 13px; }
nav a:hover { color: var(--ink); border-color: var(--soft); }
article { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; padding: 18px 20px; margin-bottom: 14px; }
.machines { display: grid; grid-template-columns: repeat(auto-fit, minmax(320px, 1fr)); gap: 14px; }
.machine { margin: 0; } .machine dl { display: grid; grid-template-columns: 76px 1fr; gap: 3px 10px; margin: 0; font-size: 13px; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
.key { display: inline-block; width: 12px; height: 12px; border-radius: 3px; margin-right: 8px; }
.key.s0 { background: var(--c0); } .key.s1 { background: var(--c1); } .key.s2 { background: var(--c2); } .key.s3 { background: var(--c3); }
.warning { color: var(--warn); background: var(--warn-ground); border-radius: 6px; padding: 4px 10px; margin: 0 0 8px; font-size: 13px; }
figure { margin: 0 0 18px; } figcaption { font-size: 14px; margin-bottom: 4px; } small { color: var(--soft); font-size: 12px; font-weight: 400; margin-left: 6px; }
.tag { font-size: 11px; color: var(--c2); border: 1px solid currentcolor; border-radius: 99px; padding: 0 7px; margin-left: 4px; }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(420px, 1fr)); gap: 4px 24px; }
@media (max-width: 560px) { .grid { grid-template-columns: 1fr; } }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(215px, 1fr)); gap: 14px; margin-top: 14px; }
.tile { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; padding: 14px 18px 12px; }
.number { font-size: 26px; line-height: 1.25; letter-spacing: -.02em; font-variant-numeric: tabular-nums; white-space: nowrap; }
.number.unsure { font-size: 20px; color: var(--soft); } .number small { font-size: 14px; letter-spacing: 0; margin: 0; } .tile p { margin: 4px 0 0; color: var(--soft); font-size: 13px; }
.row { display: grid; grid-template-columns: minmax(120px, 250px) 1fr 170px; gap: 12px; align-items: center; min-height: 22px; font-size: 13px; }
.row .label { text-align: right; overflow-wrap: anywhere; line-height: 1.2; } .row .value { color: var(--soft); white-space: nowrap; font-variant-numeric: tabular-nums; }
.row .track { position: relative; height: 14px; } .row:hover { background: var(--ground); }
.track .bar { position: absolute; inset: 0 auto 0 0; border-radius: 2px; min-width: 1px; }
.track .interval { position: absolute; top: 3px; height: 8px; border: solid var(--ink); border-width: 0 1.2px; opacity: .75; }
.track .interval::after { content: ""; position: absolute; left: 0; right: 0; top: 3.4px; border-top: 1.2px solid var(--ink); }
@media (max-width: 640px) { main { padding: 20px 12px 40px; } nav { margin-left: 0; } article { padding: 14px; } .machines { grid-template-columns: 1fr; } .tiles { grid-template-columns: 1fr 1fr; gap: 8px; } .tile { padding: 10px 12px; } .number { font-size: 21px; } .number.unsure { font-size: 16px; }
 .row { grid-template-columns: 1fr 168px; gap: 0 10px; margin-bottom: 4px; } .row .label { grid-column: 1 / -1; text-align: left; } .row.same .label { display: none; }
 figure { overflow-x: auto; } .dots { min-width: 640px; } }
.chart { width: 100%; height: auto; display: block; font: 12px system-ui, "DejaVu Sans", sans-serif; }
.grid .chart { font-size: 18px; }
.chart text { fill: var(--ink); } .chart .axis, .chart .value { fill: var(--soft); }
.chart .bar { opacity: .88; } .chart .bar.unstable { opacity: .3; }
.chart .rule { stroke: var(--rule); stroke-width: 1; } .chart .leader { stroke: var(--soft); stroke-width: .6; }
.chart .line { fill: none; stroke-width: 2; } .chart .band { opacity: .16; stroke: none; }
.chart .alert { fill: none; stroke: var(--bad); stroke-width: 2; }
.dot.s0, .band.s0 { fill: var(--c0); } .dot.s1, .band.s1 { fill: var(--c1); } .dot.s2, .band.s2 { fill: var(--c2); } .dot.s3, .band.s3 { fill: var(--c3); }
.bar.s0 { background: var(--c0); } .bar.s1 { background: var(--c1); } .bar.s2 { background: var(--c2); } .bar.s3 { background: var(--c3); }
.line.s0 { stroke: var(--c0); } .line.s1 { stroke: var(--c1); } .line.s2 { stroke: var(--c2); } .line.s3 { stroke: var(--c3); }
.alerts { color: var(--bad); font-size: 13px; padding-left: 18px; }
details summary { cursor: pointer; color: var(--soft); font-size: 13px; } .scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 13px; margin-top: 8px; min-width: 100%; } th { text-align: left; color: var(--soft); font-weight: 500; }
td, th { padding: 4px 12px 4px 0; border-bottom: 1px solid var(--rule); } td:nth-child(n+4) { font-variant-numeric: tabular-nums; white-space: nowrap; }
footer { color: var(--soft); font-size: 13px; margin-top: 32px; }
`;

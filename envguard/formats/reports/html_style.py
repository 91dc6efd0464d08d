"""The look of pages: light and dark, narrow and wide, and no colour without its word."""

STYLE = """
:root { --ground: #fff; --text: #1c2024; --quiet: #5b6570; --line: #d8dde2; --card: #f6f8fa;
  --pass: #116329; --warn: #7d4e00; --fail: #b3261e; --unknown: #5b3fb0; }
@media (prefers-color-scheme: dark) { :root { --ground: #14171a; --text: #e6e9ec; --quiet: #9aa4ae;
  --line: #363c43; --card: #1d2125; --pass: #63d07f; --warn: #e3b341; --fail: #ff8a80; --unknown: #bda5ff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 70rem; padding: 1.5rem 1rem 3rem; background: var(--ground);
  color: var(--text); font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: .5rem 0; }
h2 { font-size: 1.15rem; margin: 2rem 0 .75rem; padding-bottom: .25rem;
  border-bottom: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 0; }
h4 { font-size: .9rem; margin: .75rem 0 .25rem; }
p { margin: .25rem 0; }
.quiet { color: var(--quiet); }
.verdict { display: inline-block; margin: 0; padding: .1rem .75rem; border: 2px solid; border-radius: 1rem;
  font-weight: 700; letter-spacing: .05em; }
.pass { color: var(--pass); } .warn { color: var(--warn); } .fail { color: var(--fail); }
.unknown { color: var(--unknown); } .skipped, .waived { color: var(--quiet); }
article { background: var(--card); border-left: .3rem solid; border-radius: .3rem; padding: .75rem 1rem;
  margin: 0 0 1rem; }
article h3, article dd { color: var(--text); }
.tag { margin-right: .6rem; white-space: nowrap; }
article.fail .tag { color: var(--fail); } article.warn .tag { color: var(--warn); }
article.unknown .tag { color: var(--unknown); }
dl { display: grid; grid-template-columns: 6.5rem 1fr; gap: .2rem 1rem; margin: .5rem 0 0; }
dt { color: var(--quiet); } dd { margin: 0; white-space: pre-wrap; min-width: 0; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; overflow-wrap: normal; }
th, td { text-align: left; vertical-align: top; padding: .3rem 1.25rem .3rem 0;
  border-bottom: 1px solid var(--line); }
th { white-space: nowrap; font-weight: 600; } thead th { color: var(--quiet); font-weight: 400; }
td.said { min-width: 14rem; color: var(--quiet); }
.outcome { font-weight: 600; white-space: nowrap; } .number { white-space: nowrap; }
pre { background: var(--card); padding: .75rem 1rem; border-radius: .3rem; margin: .5rem 0; overflow-x: auto;
  font: .85rem/1.45 ui-monospace, monospace; white-space: pre-wrap; }
details { margin: 0 0 1rem; } summary { cursor: pointer; font-weight: 600; color: var(--fail); }
a { color: inherit; } .source { display: block; }
svg { margin-right: .6rem; } .peak { fill: var(--line); } .reached { fill: var(--pass); }
ul { padding-left: 1.2rem; margin: 0; } footer { margin-top: 2.5rem; color: var(--quiet); font-size: .85rem; }
@media (max-width: 32rem) { dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .4rem; } }
@media print { body { max-width: none; } }
"""

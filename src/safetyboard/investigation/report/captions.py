# SPDX-License-Identifier: Apache-2.0
"""What stands under each figure: what is shown, and what was not done."""

LINKED = (
    "Every input moves on its own, also where inputs are linked in the world: a failure is one inside the stated "
    "box and says no more."
)
CURVE = (
    "{statement} Each bar is one radius; the numbers are rows. Blue: proved for every real input in the box. "
    "Vermilion: a replayed failure. Grey: neither proved nor refuted in the budget. Rows wrong before any change "
    "are counted apart, above the bars. Whiskers: exact 95 % Clopper–Pearson intervals, as if rows were drawn "
    "independently from one population; nothing is said about other populations.{again} " + LINKED
)
AGAIN = " The repaired network was attacked and proved anew at every radius drawn."
MARGINS = (
    "Each mark is one judged row, placed by the smallest radius at which a failure was found and by its margin "
    "before any change. Only the radii on the axis were tried, so a row may fail at a smaller one in between; in "
    "each column the row nearest to failing is named."
)
GAP = (
    "The worst harm of each claim lies between what an attack found and what a bound excludes. Where cells were "
    "not proved, the bound is plain interval arithmetic: sound, coarse, and nothing was done to tighten it.{left}"
)
EFFORT = (
    "Work units as each instrument counts them, in the order the stages ran; units of different instruments "
    "compare in order of magnitude only. Time is not shown: no result depends on it."
)
FLIPS = (
    "For {failures}, the smallest set of inputs found that keeps the failure when all other inputs return to the "
    "observed row. Left: in how many of these sets an input stands. Right: how far it moved. No single input of a"
    " set can be spared; smaller sets of other inputs may exist, and were not searched for. " + LINKED
)
SLICES = (
    "{rows}: the two inputs on the axes vary over the whole box, all others keep their failing values. Blue: a "
    "sound bound closes the whole patch. Vermilion: the network fails at the patch's middle. Grey: neither. These"
    " bounds were made for the picture; they are in no certificate, and the checker does not recheck them. The "
    "circle marks the observed values of these two inputs, where the other inputs had other values too."
)
CAUSE = (
    "One case of this finding ({label}, {cell}); its set holds {count}: {inputs}. Dots: share of trials that "
    "still fail; bars: exact intervals at the stated confidence. What happens inside the network, neuron by "
    "neuron, was not looked at."
)
ACTED = (
    "What was replayed in the sandbox: each bar is one arm of an experiment, with the exact 95 % interval of its share "
    "of failures. Runs of the same tests on the same files are not independent of one another; the interval treats "
    "them as if they were. Nothing was asked of the agent again: another run of it may differ."
)
RUNS = (
    "Each line is one recorded run under one chain; a mark is a quotation that stands in the record at that step. Runs "
    "without a mark are not drawn{left}. What was not recorded cannot be seen here, and how often the chains miss or "
    "falsely accuse stands beside each claim."
)
ROUTES = (
    "Each row is a way to make the judgement say yes to wrong work, each column what was in force. Vermilion: the way "
    "was executed in the sandbox and got through, twice with the same result. Blue: it was executed and came to "
    "nothing. A way that is not in the table was not tried."
)
GRAPH = (
    "Causes stand left of their effects. A link says that without its cause the effect would not have been; its line "
    "says what the test of that showed. Links that nobody tested are drawn dashed or dotted, not left out."
)

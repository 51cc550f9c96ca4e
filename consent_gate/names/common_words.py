"""Words of everyday English that are also forenames or surnames."""

from __future__ import annotations

_TEXT = """
abbey adder amber angel april arch archer art ash autumn baker bank banks barber basil bay bear
beau bell berry best bill bird bishop bloom blossom blue bob bond booth bow bowler box bridge
brook brooks brown buck bud bull bush butcher butler cable camp can carpenter carol carter castle
chance chase cherry christian church clay cliff close coal cole collar cook coop cooper copper
coral cotton court cove cox crane cross crystal cub daisy dale dawn day dean dell destiny dew
diamond dolly dot dove drake drew drum duke earl east eden ember english faith farmer fawn felt
fern field finch fish fisher fleet fletcher flint flora flower flowers ford forest fox france frank
free french frost gale garden gardener garland gene george gill glass glen glory gold golden good
grace grant graves gray green grove guy hall hand harbour hardy harmony harper harry hart harvest
haven hazel heath heather heart hedge hill hills holly home honey hood hook hope hunt hunter ivory
ivy jack jade jasmine jasper jean jersey jet jewel joy june junior justice kay key kind king kit
knight lake lamb lane large lark laurel law lawn leaf light lily lion little liberty lock long lord
love low luck lucky lynx major mallow man maple marina mark marks marsh martin mason max may meadow
melody mercy merry mercury mike miles mill miller mills mint moon moor moore moss mould new newton
nick noble noon norman north nova nurse nut oak ocean olive opal orchard orchid owen page palmer
park parker parks parson pat patience pea peace pear pearl penny peony pepper perry phoenix pike
piper plant poet pond pool pope poppy porter potter pound power precious price prince princess
pride prior prosper queen quick rain rainbow ray read reed reef rich ring river rivers robin rock
rocky rod rose rosemary rowan royal ruby rush rusty sage saint sally sandy savage school scott sea
sharp shaw shell shepherd short sierra silver sky skylar small smart smith snow song south spring
star stark steel stone storm street strong summer summers sun sunny swan sweet tailor tanner taylor
teal temple thorn tiger timber town trinity tucker turner vale valley victor viola violet wade
walker wall wallace wand ward warren water waters weaver webb well wells west wheat wheeler white
wild will willow wills wing winter winters wise wolf wood woods wren wright yew york young
"""

COMMON_WORDS = frozenset(_TEXT.split())
"""A name of two such words needs a second sign."""

_SMALL = """
a about all am an and are as at be but by can did do for from had has have he her here him his how i
if in is it its many me more my no not now of on or our she so some than that the their them then
there these they this to up us was we were what when where which who why with you your
"""

SMALL_WORDS = frozenset(_SMALL.split())
"""Words that occur in every text. A name next to one is compared exactly: "The Green" is not "Theo
Green"."""

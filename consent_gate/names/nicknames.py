"""Short forms of forenames that are common in Britain."""

from __future__ import annotations

_TEXT = """
abigail abby abbie; albert bert bertie al; alexander alex al xander sandy; alexandra alex lexi
sasha; alfred alf alfie; amelia millie amy; andrew andy drew; anthony tony; antonia toni;
archibald archie; arthur artie; beatrice bea trixie; benjamin ben benji; catherine cathy cath kate
katie; charles charlie; charlotte charlie lottie; christopher chris kit; christina chris tina;
daniel dan danny; david dave davey; edward ed eddie ted teddy ned; eleanor ellie nell nora;
elizabeth beth betty eliza ellie lizzie liz libby; emily em millie; florence flo florrie; frances
fran frankie; francis frank frankie; frederick fred freddie freddy; gabriel gabe; gabriella gabby
ella; george georgie; georgina georgie; gregory greg; harriet hattie; harrison harry; henry harry
hal; isabella bella izzy isla; isabelle izzy bella; jacob jake; james jim jimmy jamie; jennifer jen
jenny; jessica jess jessie; jonathan jon jonny; joseph joe joey; joshua josh; katherine kate kath
kathy katie kat; kenneth ken kenny; lawrence larry; leonard len leo; lewis lew; louisa lou; louise
lou; lucinda lucy; madeleine maddy; margaret maggie meg peggy; martha mattie; matilda tilly mattie;
matthew matt; michael mike mick mikey; mohammed mo; muhammad mo; natasha tash; nathaniel nate
nathan; nicholas nick nicky; nicola nicky; oliver ollie olly; olivia liv livvy; patricia pat trish;
patrick paddy pat; penelope penny; peter pete; philip phil; philippa pippa; rebecca becky becca;
richard rich rick dick; robert rob bob bobby robbie bert; ronald ron ronnie; rosemary rosie;
samantha sam; samuel sam sammy; sebastian seb; sophia sophie; stephanie steph; stephen steve;
steven steve; susan sue susie; theodore theo ted teddy; thomas tom tommy; timothy tim; toby tobias;
tobias toby; victoria vicky tori; vincent vince; william will bill billy liam; winifred winnie;
zachary zac zach zak
"""

NICKNAMES = {words[0]: tuple(words[1:]) for words in map(str.split, _TEXT.split(";"))}
"""The short forms of a forename, in small letters."""

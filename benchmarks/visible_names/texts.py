"""What is written on the drawn items. The two halves share no surname and few forenames."""

from __future__ import annotations

import random
from itertools import product

from consent_gate.names.name_index import PupilName

_FORENAMES = {
    "fit": """Olivia Amelia Isla Ava Mia Ivy Lily Freya Florence Willow Zara Aisha Fatima Maryam
        Priya Ananya Chloe Siân Niamh Oluwaseun Noah Oliver George Arthur Muhammad Leo Harry Theo
        Yusuf Ibrahim Kwame Jakub Mateusz Rhys Callum Will Mark Jack Rose Grace Hope""",
    "report": """Emily Ella Sophie Evie Poppy Daisy Phoebe Matilda Harriet Beatrice Khadija Safiya
        Ayesha Meera Diya Zoë Caitlín Temitope Chidera Weronika Zuzanna Thomas Henry Jacob Lucas
        Ethan Alfie Freddie Sebastian Dylan Zachary Hamza Bilal Arjun Rohan Tobias Emeka Kacper
        Will Mark Rose Grace Hope""",
}
_SURNAMES = {
    "fit": """Smith Jones Taylor Brown Williams Wilson Johnson Davies Patel Khan Hussain Ahmed
        Begum Okafor Adeyemi Mensah Kowalski Nowak Fernandes O'Donnell Whitcombe Archer Hill Marsh
        Page Green Wood Barnes-Wright Raghunathan Thistlethwaite MacKenzie Featherstone""",
    "report": """Robinson Thompson Evans Walker Roberts Hughes Edwards Clarke Harrison Morris Singh
        Malik Chowdhury Iqbal Nwosu Boateng Wiśniewski Lewandowski Silva O'Brien Ashworth
        Bickerstaff Cholmondeley Field Marsh Page Lane Wells Smith-Jones Subramanian
        Higginbottom McAllister Pemberton""",
}
_HARMLESS = {
    "fit": """Welcome to Year 3|Reading corner|Please wash your hands|Harvest festival|Sports day
        Millfields Primary School|Our school values|Be kind, be brave|Lost property|Mind the step
        Rose Hill is a park in Oxford|Mark your own work|Will you be my friend?|Hope and peace
        Page 12|A grace note|The marsh and the wood|World Book Day|Spelling rules|Times tables
        12 x 4 = 48|Fire assembly point|Push|Library|Head Teacher|School Council|Eco Warriors
        Star of the week|Jack and the Beanstalk|The Green Mile|Under the hill|Archer House
        Brown bear, brown bear|Johnson and Johnson|A Taylor made suit|Maths challenge|No nuts
        Recycling only|Staff only|Adidas|Nike|Clarks|Happy birthday|Keep calm and read|Reception
        Office|Visitors must sign in|House points|Class assembly|Exit""",
    "report": """Welcome to Year 5|Computing suite|Quiet please|Nativity play|Swimming gala
        Millfields Primary School|Our golden rules|Work hard, be nice|Cloakroom|Wet floor
        The fields of Gold|Mark the date|We will walk to the lake|Rose, thorn and bud|Field trip
        Page turner of the week|Grace before meals|Marsh birds|A lane by the wells|Hope Street
        The Secret Garden|Charlotte's Web|Matilda by Roald Dahl|The Railway Children
        Henry VIII had six wives|Thomas the Tank Engine|Harry Potter|James and the Giant Peach
        7 x 8 = 56|First aid|Pull|School hall|Deputy Head|Playground buddies|Wells House
        Pupil of the month|Mind your head|Bus stop|Puma|Reebok|Marks and Spencer|Tesco|Menu
        Fish fingers, peas and chips|Roast chicken|Vegetarian option|Book fair|Fire door
        Keep shut|Year 6 leavers|Walker's crisps|Clarke's Bakery|Robinson's fruit drink
        Remembrance|Mathematics|Lunch is at 12.15|Reception class|Nursery|Science week""",
}
NOT_NAMES = ("Millfields Primary School", "Archer House", "Wells House")


def make_register(half: str, pupils: int = 700) -> list[PupilName]:
    """Made-up pupils of one half."""
    pairs = list(product(_FORENAMES[half].split(), _SURNAMES[half].split()))
    random.Random(1).shuffle(pairs)  # noqa: S311  no secret
    return [PupilName(str(number), *pair) for number, pair in enumerate(pairs[:pupils])]


def harmless_texts(half: str) -> list[str]:
    """What is written in schools and names nobody, also where its words are names."""
    parts = _HARMLESS[half].replace("\n", "|").split("|")
    return [" ".join(part.split()) for part in parts if part.strip()]
